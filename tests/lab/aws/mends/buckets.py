"""S3 verifies what it is sent, and encrypts with keys that exist.

Checksums: "If the checksum value that you specify doesn't match, the request fails with BadDigest"
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
Keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html, KMS.NotFoundException and
KMS.DisabledException (https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html).
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.kms.models import kms_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

from tests.lab.aws.mends.patch import replaces

_get_checksum = S3Response._get_checksum
_put_object = S3Backend.put_object


@replaces(S3Response, "_get_checksum")
def get_checksum(response: Any, headers: dict[str, Any]) -> tuple[str, str | None]:
    claimed = response.headers.get("x-amz-checksum-sha256")
    body = response.body if isinstance(response.body, bytes) else str(response.body or "").encode()
    if claimed and claimed != base64.b64encode(hashlib.sha256(body).digest()).decode():
        raise S3ClientError("BadDigest", "The SHA256 you specified did not match the calculated checksum.")
    found: tuple[str, str | None] = _get_checksum(response, headers)
    return found


@replaces(S3Backend, "put_object")
def put_object(backend: Any, bucket_name: str, key_name: str, value: bytes, *args: Any, **options: Any) -> Any:
    encryption, key = options.get("encryption"), options.get("kms_key_id")
    if encryption == "aws:kms" and key:
        require_key(key)
    return _put_object(backend, bucket_name, key_name, value, *args, **options)


def require_key(name: str) -> None:
    """Refuse a key that does not exist in the region of its ARN, or is disabled; a bare id may be in any region."""
    if name == "alias/aws/s3" or name.endswith(":alias/aws/s3"):
        return
    region = name.split(":")[3] if name.startswith("arn:") else None
    backends = kms_backends[DEFAULT_ACCOUNT_ID]
    for backend in [backends[region]] if region else list(backends.values()):
        if found := _key(backend, name):
            if not found.enabled:
                raise S3ClientError("KMS.DisabledException", f"{found.arn} is disabled.")
            return
    raise S3ClientError("KMS.NotFoundException", f"Key '{name}' does not exist")


def _key(backend: Any, name: str) -> Any:
    alias = backend.get_alias_name(name)
    if alias.startswith("alias/") and not backend.alias_exists(alias):
        return None
    return backend.keys.get(backend.any_id_to_key_id(name))
