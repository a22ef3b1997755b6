# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A bucket that is fit for backups: it exists and has versioning. It is created only on request."""

from __future__ import annotations

from ..core.errors import Refusal
from . import s3
from .client import Client
from .errors import AwsError


def require_bucket(client: Client, bucket: str, kms_key_id: str | None, *, create: bool, check: bool) -> bool:
    """Make sure that the bucket exists and keeps versions; whether it was created, or would be in check mode.

    A bucket that an interrupted run created is completed: it is empty and has no versioning yet. Raises Refusal with
    what is missing, or AwsError.
    """
    try:
        status = s3.get_bucket_versioning(client, bucket)
    except AwsError as error:
        if not s3.is_missing(error):
            raise
        if not create:
            raise Refusal(
                f"bucket {bucket} does not exist. Create it with versioning enabled, or let this run create it "
                "(create_bucket)"
            ) from None
        if not check:
            s3.create_bucket(client, bucket)
            _complete(client, bucket, kms_key_id)
        return True
    if status == "Enabled":
        return False
    if create and not status and not s3.list_objects(client, bucket, ""):
        if not check:
            _complete(client, bucket, kms_key_id)
        return True
    raise Refusal(
        f"bucket {bucket} does not keep versions (versioning is {status or 'not enabled'}), so that a backup that is "
        "overwritten or deleted would be lost. Enable versioning of the bucket"
    )


def _complete(client: Client, bucket: str, kms_key_id: str | None) -> None:
    """Versioning comes last: it says that the rest is done."""
    s3.block_public_access(client, bucket)
    s3.encrypt_bucket(client, bucket, kms_key_id)
    s3.enable_versioning(client, bucket)
