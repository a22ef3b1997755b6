"""The canonical form of record sets, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns.records import (
    belongs,
    canonical,
    canonical_name,
    canonical_value,
    difference,
    policy_of,
    result,
    within,
)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        pytest.param("shop.example.com", "shop.example.com.", id="the dot at the end"),
        pytest.param("Shop.EXAMPLE.com.", "shop.example.com", id="case"),
        pytest.param(r"\052.example.com.", "*.example.com", id="a wildcard as Route 53 tells it"),
        pytest.param(r"\052.EXAMPLE.com", r"*.example.com.", id="escape and case"),
        pytest.param(r"a\100b.example.com", "a@b.example.com", id="another escape"),
        pytest.param(r"\101.example.com", "a.example.com", id="an escaped capital letter"),
        pytest.param(" shop.example.com ", "shop.example.com", id="blanks of a template"),
    ],
)
def test_one_name_in_two_texts(text: str, same: str) -> None:
    assert canonical_name(text) == canonical_name(same)
    assert canonical_name(canonical_name(text)) == canonical_name(text)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        pytest.param(r"a\056b.example.com", "a.b.example.com", id="an escaped dot is no label's end"),
        pytest.param(r"a\134052.example.com", r"a\052.example.com", id="an escaped backslash begins no escape"),
        pytest.param(r"a\000.example.com", "a.example.com", id="what cannot be printed stays escaped"),
        pytest.param("*.example.com", "example.com", id="wildcard and apex"),
    ],
)
def test_two_names(text: str, other: str) -> None:
    assert canonical_name(text) != canonical_name(other)


@pytest.mark.parametrize(
    ("kind", "text", "form"),
    [
        ("A", " 203.0.113.10 ", "203.0.113.10"),
        ("AAAA", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("AAAA", "2001:db8::1", "2001:db8::1"),
        ("CNAME", "Node-1.Example.com", "node-1.example.com."),
        ("TXT", '"Some Text"', '"Some Text"'),
        ("A", "No-Address", "no-address"),
    ],
)
def test_values_are_canonical(kind: str, text: str, form: str) -> None:
    assert canonical_value(kind, text) == form


BASE: dict[str, Any] = {
    "Name": "shop.example.com.",
    "Type": "A",
    "SetIdentifier": "a",
    "MultiValueAnswer": True,
    "TTL": 60,
    "ResourceRecords": [{"Value": "203.0.113.10"}, {"Value": "203.0.113.11"}],
}
ALIAS = {"HostedZoneId": "Z1", "DNSName": "lb.example.com.", "EvaluateTargetHealth": False}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"Name": "SHOP.example.com"}, id="name"),
        pytest.param({"Type": "a"}, id="case of the type"),
        pytest.param({"TTL": "60"}, id="number as text"),
        pytest.param({"ResourceRecords": list(reversed(BASE["ResourceRecords"]))}, id="order of values"),
        pytest.param({"HealthCheckId": None}, id="a field without a value"),
        pytest.param({"Weight": None}, id="no weight"),
    ],
)
def test_the_same_record_set(other: dict[str, Any]) -> None:
    assert canonical(BASE | other) == canonical(BASE)


@pytest.mark.parametrize(
    "other",
    [
        {"Name": "other.example.com."},
        {"Type": "AAAA"},
        {"SetIdentifier": "b"},
        {"SetIdentifier": "A"},
        {"TTL": 30},
        {"ResourceRecords": [{"Value": "203.0.113.10"}]},
        {"HealthCheckId": "check"},
        {"MultiValueAnswer": False},
        {"Weight": 0},
        {"AliasTarget": ALIAS},
    ],
)
def test_another_record_set(other: dict[str, Any]) -> None:
    assert canonical(BASE | other) != canonical(BASE)


def test_aliases_have_one_form() -> None:
    alias = {"Name": "a.example.com", "Type": "A", "AliasTarget": ALIAS}
    same = alias | {"AliasTarget": ALIAS | {"DNSName": "LB.example.com"}}
    other = alias | {"AliasTarget": ALIAS | {"EvaluateTargetHealth": True}}
    assert canonical(alias) == canonical(same) != canonical(other)


@pytest.mark.parametrize(
    ("fields", "policy"),
    [
        ({}, "simple"),
        ({"MultiValueAnswer": True}, "multivalue"),
        ({"MultiValueAnswer": False}, "simple"),
        ({"Weight": 0}, "weighted"),
        ({"Region": "eu-west-1"}, "latency"),
        ({"Failover": "PRIMARY"}, "failover"),
        ({"GeoLocation": {"CountryCode": "*"}}, "geolocation"),
    ],
)
def test_policies_are_read_from_record_sets(fields: dict[str, Any], policy: str) -> None:
    assert policy_of(fields) == policy


@pytest.mark.parametrize(
    ("name", "zone", "inside"),
    [
        ("shop.example.com", "example.com.", True),
        ("Example.com.", "example.COM", True),
        ("*.a.example.com", "example.com", True),
        ("badexample.com", "example.com", False),
        ("shop.example.org", "example.com", False),
        ("com", "example.com", False),
    ],
)
def test_zones_are_selected_by_name(name: str, zone: str, inside: bool) -> None:
    assert within(name, zone) is inside


def test_names_belong_to_their_zone() -> None:
    assert belongs(BASE, "SHOP.example.com", "A")
    assert not belongs(BASE, "shop.example.com", "AAAA")
    assert not belongs(BASE, "a.shop.example.com", "A")


def test_results_and_the_difference() -> None:
    entry = {
        "value": "203.0.113.10",
        "values": ["203.0.113.10", "203.0.113.11"],
        "policy": "multivalue",
        "weight": None,
        "ttl": 60,
        "health_check_id": None,
    }
    assert result(BASE) == {"identifier": "a"} | entry
    assert difference([BASE], []) == {"before": {"a": entry}, "after": {}}
