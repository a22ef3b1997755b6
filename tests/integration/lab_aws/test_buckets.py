"""S3 as backups need it: versions, checksums that are verified, keys that exist."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.lab_aws.conftest import REGION, Account

BODY = b"archive"
SHA = base64.b64encode(hashlib.sha256(BODY).digest()).decode()


@pytest.fixture
def bucket(account: Account) -> Any:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    return s3


def put(s3: Any, **more: Any) -> Any:
    given = {"ServerSideEncryption": "aws:kms", "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": SHA, **more}
    return s3.put_object(Bucket="kept", Key="a/1.tgz", Body=BODY, **given)


def test_checksum_is_verified_and_returned(bucket: Any) -> None:
    with pytest.raises(ClientError, match="BadDigest"):
        put(bucket, ChecksumSHA256=base64.b64encode(bytes(32)).decode())
    put(bucket, Metadata={"build": "NS14.1"})
    found = bucket.get_object(Bucket="kept", Key="a/1.tgz", ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["ChecksumSHA256"], found["Metadata"]) == (BODY, SHA, {"build": "NS14.1"})
    assert found["ServerSideEncryption"] == "aws:kms"


def test_key_must_exist_and_be_enabled(account: Account, bucket: Any) -> None:
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/backups", TargetKeyId=key)
    for name in (key, "alias/backups", key.rpartition("/")[2], "alias/aws/s3"):
        assert put(bucket, SSEKMSKeyId=name)["VersionId"]
    for name in ("alias/none", f"arn:aws:kms:{REGION}:123456789012:key/none"):
        with pytest.raises(ClientError, match=r"KMS\.NotFoundException"):
            put(bucket, SSEKMSKeyId=name)
    kms.disable_key(KeyId=key.rpartition("/")[2])
    with pytest.raises(ClientError, match=r"KMS\.DisabledException"):
        put(bucket, SSEKMSKeyId=key)


def test_deleted_object_keeps_its_versions(bucket: Any) -> None:
    version = put(bucket)["VersionId"]
    bucket.delete_objects(Bucket="kept", Delete={"Objects": [{"Key": "a/1.tgz"}]})
    assert bucket.list_objects_v2(Bucket="kept")["KeyCount"] == 0
    assert [one["VersionId"] for one in bucket.list_object_versions(Bucket="kept")["Versions"]] == [version]
    assert bucket.get_object(Bucket="kept", Key="a/1.tgz", VersionId=version)["Body"].read() == BODY
