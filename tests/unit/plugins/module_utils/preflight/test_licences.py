"""The rows of licences: whether the build knows the service, and what the pool must give."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.preflight import licences, verdicts
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.license_option import license_demand

from .plans import plan, zone

DEMAND = "1000 Mbps Premium of las.example.com"


def rows(name: str, instances: list[dict[str, Any]], **options: Any) -> dict[str, tuple[str, str]]:
    answers = verdicts.Answers({"images": [{"Name": name}], "instances": instances})
    asked = plan(zone(instances=2), **{"license_mode": "las", "license_demand": DEMAND, **options})
    return {row.check: (row.status.value, row.message) for row in verdicts.licences(asked, answers)}


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("NetScaler VPX 14.1-51.80", "ok", "knows the License Activation Service"),
        ("NetScaler VPX 14.1-43.50", "failed", "does not know the License Activation Service"),
        ("my golden image", "warning", "contains no build"),
    ],
)
def test_build_of_the_image_is_compared_with_what_the_service_needs(name: str, status: str, words: str) -> None:
    found = rows(name, [])[licences.BUILD]
    assert found[0] == status
    assert words in found[1]


def test_pool_says_how_much_would_be_checked_out() -> None:
    status, message = rows("x", [])[licences.POOL]
    assert (status, message.startswith(f"2 × {DEMAND} would be checked out")) == ("skipped", True)
    tags = [{"Key": "cloudadc:group", "Value": "shop"}]
    there = {"State": {"Name": "running"}, "SubnetId": "subnet-management", "Tags": tags}
    assert rows("x", [there, there])[licences.POOL][0] == "ok"


def test_images_that_bring_their_licence_have_no_row() -> None:
    assert rows("x", [], license_mode="", license_demand="") == {}
    assert list(rows("x", [], license_mode="pooled")) == [licences.POOL]


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"server": "las.example.com", "bandwidth": 1000, "edition": "Premium", "password": "secret"}, DEMAND),
        ({"server": "10.0.0.5", "vcpu": True, "edition": "Advanced"}, "vCPU Advanced of 10.0.0.5"),
        ({"mode": "las", "offline": True}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_demand_names_amount_and_server_and_no_secret(option: Any, text: str) -> None:
    assert license_demand(option) == text
