"""What an administrator creates, from the variables of a pair or a group."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.rights_request import (
    allocation_ids,
    documents,
    read_owners,
)
from tests.iam.shipped import POLICIES

BOUNDARY = "arn:aws-us-gov:iam::111122223333:policy/limit"
PAIR = {"ha_pair_name": "edge", "ha_pair_elastic_ips": ["198.51.100.1"], "ha_pair_iam_policy": "vendor"}
GROUP = {
    "autoscale_group_name": "shop",
    "autoscale_group_topology": "cluster",
    "autoscale_group_dns": {"hosted_zone_id": "Z1"},
    "autoscale_group_applications": [{"name": "web", "domain": "www.example.com"}],
    "autoscale_group_store": {"type": "dynamodb", "table": "states"},
}


@pytest.mark.parametrize(
    ("roles", "policies"),
    [
        ({}, []),
        ({"ha_pair": PAIR}, ["policies/appliance_ha_vendor.json"]),
        ({"autoscale_group": GROUP}, ["policies/appliance_group_cluster.json"]),
        ({"autoscale_group": {"autoscale_group_name": "a"}}, ["policies/appliance_group_independent.json"]),
        (
            {"ha_pair": {"ha_pair_name": "a"}, "autoscale_group": GROUP},
            ["policies/appliance_ha_minimal.json", "policies/appliance_group_cluster.json"],
        ),
    ],
)
def test_role_follows_from_the_definition(roles: dict[str, Any], policies: list[str]) -> None:
    owners = read_owners(roles)
    assert [owner["policy"] for owner in owners] == policies
    assert all((POLICIES.parent / name).is_file() for owner in owners for name in (owner["policy"], *owner["files"]))


def test_documents_are_about_the_group_and_what_it_names() -> None:
    [owner] = read_owners({"autoscale_group": GROUP})
    shipped = [json.loads((POLICIES.parent / name).read_text()) for name in owner["files"]]
    found = documents(shipped, owner, {"autoscale_group": GROUP}, BOUNDARY, [])
    text = json.dumps(found["shop-autoscale_group.json"])
    for expected in (
        "arn:aws-us-gov:iam::111122223333:role/shop-vpx",
        "arn:aws-us-gov:route53:::hostedzone/Z1",
        "www.example.com",
        "arn:aws-us-gov:dynamodb:*:111122223333:table/states",
    ):
        assert expected in text
    assert f'"Resource": ["{BOUNDARY}"' in json.dumps(found["shop-managed_role.json"])


def test_elastic_ips_are_found_by_either_of_their_names() -> None:
    known = [{"public_ip": f"198.51.100.{n}", "allocation_id": f"eipalloc-{n}"} for n in (1, 2, 3)]
    assert allocation_ids(known, {"elastic_ips": ["198.51.100.1", "eipalloc-3"]}) == ["eipalloc-1", "eipalloc-3"]


def test_rights_on_backups_are_those_on_the_folder_of_the_owner() -> None:
    backup = {"config_backup_bucket": "kept", "config_backup_prefix": "adc", "config_backup_kms_key_id": "alias/a"}
    roles = {"ha_pair": {"ha_pair_name": "edge"}, "config_backup": backup}
    [owner] = read_owners(roles)
    shipped = [json.loads((POLICIES.parent / name).read_text()) for name in owner["files"]]
    found = documents(shipped, owner, roles, BOUNDARY, [])
    by_sid = {one["Sid"]: one["Resource"] for one in found["edge-backup.json"]["Statement"]}
    assert by_sid["SeeTheBucket"] == "arn:aws-us-gov:s3:::kept"
    assert by_sid["StoreAndExpireBackups"] == "arn:aws-us-gov:s3:::kept/adc/pair/edge/*"
    assert by_sid["EncryptWithKmsKey"] == "arn:aws-us-gov:kms:*:111122223333:key/*"
    assert "CreateTheBucketWithCreateBucket" not in by_sid
    assert "edge-restore.json" in found
    [without] = read_owners({"ha_pair": roles["ha_pair"]})
    assert not [name for name in without["files"] if "backup" in name]
