"""The address of a cluster is assigned once, and never taken from another interface."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.cluster_address import assign_clip

MINE, CLIP = "eni-1", "10.0.1.250"


class Ec2:
    """``holder``: the interface that has the address of the cluster."""

    def __init__(self, holder: str | None = None) -> None:
        self.holder, self.calls, self._found = holder, [], []

    def get_paginator(self, _name: str) -> Ec2:
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> Ec2:
        named = {one["Name"]: one["Values"] for one in Filters}
        if "network-interface-id" in named:
            self._found = [MINE] if MINE in named["network-interface-id"] else []
        else:
            assert named == {"subnet-id": ["subnet-1"], "addresses.private-ip-address": [CLIP]}
            self._found = [self.holder] if self.holder else []
        return self

    def build_full_result(self) -> dict[str, Any]:
        return {"NetworkInterfaces": [{"NetworkInterfaceId": one, "SubnetId": "subnet-1"} for one in self._found]}

    def assign_private_ip_addresses(self, **options: Any) -> None:
        self.calls.append(options)


@pytest.mark.parametrize(
    ("holder", "check", "changed", "writes"),
    [(None, False, True, 1), (None, True, True, 0), (MINE, False, False, 0)],
    ids=["free", "free in check mode", "assigned"],
)
def test_address_is_assigned_where_no_interface_has_it(
    holder: str | None, check: bool, changed: bool, writes: int
) -> None:
    ec2 = Ec2(holder)
    assert assign_clip(ec2, MINE, f"{CLIP}:443", check=check) is changed
    asked = {"NetworkInterfaceId": MINE, "PrivateIpAddresses": [CLIP], "AllowReassignment": False}
    assert ec2.calls == [asked] * writes


@pytest.mark.parametrize(
    ("holder", "interface", "sentence"),
    [("eni-9", MINE, "belongs to eni-9 in subnet-1"), (None, "eni-2", "EC2 knows no eni-2")],
)
def test_address_of_another_interface_is_refused(holder: str | None, interface: str, sentence: str) -> None:
    ec2 = Ec2(holder)
    with pytest.raises(Refusal, match=sentence):
        assign_clip(ec2, interface, CLIP, check=False)
    assert ec2.calls == []
