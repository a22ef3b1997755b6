"""What requests to S3 are decided on, and the keys of KMS that they need.

Actions have other names than operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
Objects encrypted with a key of the account: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
kms:GenerateDataKey to write and kms:Decrypt to read; the key aws/s3 needs neither of the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.lab.aws.iam.resources import Resource

ACTIONS = {
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "ListBuckets": "ListAllMyBuckets",
}
_KEY = re.compile(rb"<Object>.*?<Key>([^<]*)</Key>", re.DOTALL)


def read_fields(path: str, headers: Mapping[str, str], body: bytes, action: str) -> dict[str, str]:
    """Return what a path-style request is about: Bucket, Key or Key.1, Key.2 …, KmsKeyId."""
    bucket, _slash, key = path.lstrip("/").partition("/")
    fields = {"Bucket": bucket} if bucket else {}
    if key:
        fields["Key"] = key
    if action == "DeleteObjects":
        fields |= {f"Key.{number}": one.decode() for number, one in enumerate(_KEY.findall(body), 1)}
    if name := headers.get("HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_AWS_KMS_KEY_ID"):
        fields["KmsKeyId"] = name
    return fields


def s3_resources(fields: Mapping[str, str]) -> list[Resource]:
    """Return the bucket, or each object."""
    bucket = fields.get("Bucket")
    if bucket is None:
        return []
    keys = [value for name, value in fields.items() if name == "Key" or name.startswith("Key.")]
    return [Resource(f"arn:aws:s3:::{bucket}/{key}") for key in keys] or [Resource(f"arn:aws:s3:::{bucket}")]


def kms_needs(action: str, fields: Mapping[str, str], key_of: str | None, number: str) -> Iterator[tuple[str, str]]:
    """Yield action and resource of KMS. ``key_of``: with which key the object that is read was encrypted."""
    if action == "PutObject" and (name := fields.get("KmsKeyId")):
        yield "kms:GenerateDataKey", _arn(name, number)
    if action == "GetObject" and key_of:
        yield "kms:Decrypt", _arn(key_of, number)


def _arn(name: str, number: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:kms:*:{number}:key/{name}"
