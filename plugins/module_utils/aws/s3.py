# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to S3: one function a call.

IAM: s3:GetBucketVersioning and s3:ListBucket on the bucket; s3:PutObject, s3:GetObject and s3:DeleteObject on its
objects; kms:GenerateDataKey to write and kms:Decrypt to read with a key of the user's. To create a bucket:
s3:CreateBucket, s3:PutBucketVersioning, s3:PutEncryptionConfiguration, s3:PutBucketPublicAccessBlock.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import Failure
from .client import Client
from .errors import AwsError, aws_call

#: What AWS answers for a bucket that does not exist; HEAD and some regions say it as a number.
NO_BUCKET = frozenset({"NoSuchBucket", "404"})
_CHUNK = 256 * 1024


@aws_call("read the versioning of bucket {bucket}")
def get_bucket_versioning(client: Client, bucket: str) -> str:
    """GetBucketVersioning: "Enabled", "Suspended", or empty if it was never enabled. AwsError without the bucket."""
    return str(client.get_bucket_versioning(Bucket=bucket).get("Status") or "")


def is_missing(error: AwsError) -> bool:
    """Whether the error says that there is no such bucket."""
    return error.code in NO_BUCKET


@aws_call("create bucket {bucket}", retries=1)
def create_bucket(client: Client, bucket: str) -> None:
    """CreateBucket in the client's region, without ACLs."""
    region = client.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **where)


@aws_call("block public access to bucket {bucket}")
def block_public_access(client: Client, bucket: str) -> None:
    """PutPublicAccessBlock with all four settings."""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(names, True))


@aws_call("set the default encryption of bucket {bucket}")
def encrypt_bucket(client: Client, bucket: str, kms_key_id: str | None) -> None:
    """PutBucketEncryption: SSE-KMS with a key of the user's, else with the key aws/s3 of the account."""
    rule = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": kms_key_id} if kms_key_id else {})}
    rules = [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}]
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


@aws_call("enable versioning of bucket {bucket}")
def enable_versioning(client: Client, bucket: str) -> None:
    """PutBucketVersioning."""
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@aws_call("list the objects below {prefix} in bucket {bucket}")
def list_objects(client: Client, bucket: str, prefix: str) -> list[str]:
    """ListObjectsV2, all pages; the keys of the current versions."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


@aws_call("store {key} in bucket {bucket}")
def put_object(
    client: Client, bucket: str, key: str, content: bytes, metadata: Mapping[str, str], kms_key_id: str | None
) -> str:
    """PutObject with SSE-KMS and a SHA-256 that S3 verifies; the version id. A repeated call makes another version."""
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    encryption = {"ServerSideEncryption": "aws:kms", **({"SSEKMSKeyId": kms_key_id} if kms_key_id else {})}
    answer = client.put_object(
        Bucket=bucket,
        Key=key,
        Body=content,
        ContentType="application/gzip",
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=digest,
        Metadata=dict(metadata),
        **encryption,
    )
    return str(answer.get("VersionId") or "")


@aws_call("read {key} in bucket {bucket}")
def get_object(client: Client, bucket: str, key: str, *, limit: int, seconds: float) -> tuple[bytes, dict[str, str]]:
    """GetObject: content and metadata. Raises Failure above ``limit`` bytes, or if it takes longer than ``seconds``."""
    deadline = time.monotonic() + seconds
    answer = client.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    if int(answer.get("ContentLength") or 0) > limit:
        raise Failure(f"s3://{bucket}/{key} has {answer['ContentLength']} bytes, more than {limit // 2**20} MiB")
    parts, total = [], 0
    while part := answer["Body"].read(_CHUNK):
        total += len(part)
        if total > limit:
            raise Failure(f"s3://{bucket}/{key} has more than {limit // 2**20} MiB")
        if time.monotonic() > deadline:
            raise Failure(f"s3://{bucket}/{key} was not read within {seconds:g} s")
        parts.append(part)
    return b"".join(parts), dict(answer.get("Metadata") or {})


@aws_call("delete old backups in bucket {bucket}")
def delete_objects(client: Client, bucket: str, keys: Sequence[str]) -> None:
    """DeleteObjects, 1000 a call. In a versioned bucket the versions stay, behind delete markers."""
    for start in range(0, len(keys), 1000):
        names: list[dict[str, Any]] = [{"Key": key} for key in keys[start : start + 1000]]
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": names, "Quiet": True})
        if errors := answer.get("Errors"):
            first = errors[0]
            raise Failure(f"S3 did not delete {first.get('Key')}: {first.get('Code')} {first.get('Message')}")
