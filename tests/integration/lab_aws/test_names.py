"""Route 53: policies, exact deletes, transactional batches, and changes that take time."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, eventually

NAME = "app.example.com."


@pytest.fixture
def zone(account: Account) -> str:
    made = account.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")
    return str(made["HostedZone"]["Id"])


def record(identifier: str | None, value: str, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}]}
    return base | ({"SetIdentifier": identifier} if identifier else {}) | more


def multivalue(identifier: str, value: str, **more: Any) -> dict[str, Any]:
    return record(identifier, value, MultiValueAnswer=True, **more)


def change(account: Account, zone: str, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record_set} for action, record_set in changes]}
    answer = account.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    return dict(answer["ChangeInfo"])


def records(account: Account, zone: str) -> list[dict[str, Any]]:
    pages = account.client("route53").get_paginator("list_resource_record_sets")
    answer = pages.paginate(HostedZoneId=zone, PaginationConfig={"PageSize": 2}).build_full_result()
    return [item for item in answer["ResourceRecordSets"] if item["Type"] == "A"]


def test_multivalue_answers_and_their_time(account: Account, zone: str) -> None:
    account.side.settings.change_insync = 100.0
    sets = [multivalue(f"node-{n}", f"127.51.0.{n}") for n in range(1, 6)]
    info = change(account, zone, *(("CREATE", item) for item in sets))
    assert info["Status"] == "PENDING"
    assert records(account, zone) == sets, "the API knows at once, page by page"
    assert account.side.resolve("app.example.com") == ((), 0), "name servers do not"
    route53 = account.client("route53")
    eventually(lambda: route53.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    values, ttl = account.side.resolve("APP.example.com")
    assert (sorted(values), ttl) == ([f"127.51.0.{n}" for n in range(1, 6)], 60)


@pytest.mark.parametrize(
    "wrong",
    [
        {"TTL": 30},
        {"ResourceRecords": [{"Value": "127.51.0.9"}]},
        {"SetIdentifier": "node-2"},
        {"Name": "other.example.com."},
    ],
)
def test_a_delete_must_match(account: Account, zone: str, wrong: dict[str, Any]) -> None:
    there = multivalue("node-1", "127.51.0.1")
    change(account, zone, ("CREATE", there))
    with pytest.raises(ClientError, match="InvalidChangeBatch"):
        change(account, zone, ("DELETE", there | wrong))
    assert records(account, zone) == [there]
    change(account, zone, ("DELETE", there))
    assert records(account, zone) == []


def test_all_of_a_batch_or_nothing(account: Account, zone: str) -> None:
    first, second = multivalue("node-1", "127.51.0.1"), multivalue("node-2", "127.51.0.2")
    change(account, zone, ("CREATE", first))
    for refused in (
        [("CREATE", second), ("CREATE", first)],
        [("DELETE", first), ("DELETE", second)],
        [("UPSERT", second), ("UPSERT", second)],
        [("UPSERT", second), ("CREATE", record(None, "127.51.0.3"))],
        [("UPSERT", second), ("UPSERT", record("node-3", "127.51.0.3", Weight=1))],
        [("UPSERT", second), ("UPSERT", multivalue("node-3", "127.51.0.3", Name="a.example.org"))],
    ):
        with pytest.raises(ClientError) as error:
            change(account, zone, *refused)
        assert error.value.response["Error"]["Code"] == "InvalidChangeBatch"
        assert records(account, zone) == [first]
    change(account, zone, ("DELETE", first), ("UPSERT", second))
    assert records(account, zone) == [second]


def test_a_wildcard_reads_as_an_escape(account: Account, zone: str) -> None:
    change(account, zone, ("CREATE", multivalue("node-1", "127.51.0.1", Name="*.Example.com")))
    [there] = records(account, zone)
    assert there["Name"] == r"\052.example.com."
    started = account.client("route53").list_resource_record_sets(
        HostedZoneId=zone, StartRecordName="*.example.com", StartRecordType="A"
    )
    assert started["ResourceRecordSets"] == [there]
    change(account, zone, ("DELETE", there))
    assert records(account, zone) == []


def test_an_identifier_counts_for_its_name_only(account: Account, zone: str) -> None:
    one, other = multivalue("node-1", "127.51.0.1"), multivalue("node-1", "127.51.0.1", Name="b.example.com.")
    change(account, zone, ("CREATE", one), ("CREATE", other))
    change(account, zone, ("DELETE", one))
    assert records(account, zone) == [other]


def test_weighted_records_answer_by_weight(account: Account, zone: str) -> None:
    sets = [record(f"node-{n}", f"127.51.0.{n}", Weight=weight) for n, weight in ((1, 10), (2, 0))]
    info = change(account, zone, *(("UPSERT", item) for item in sets))
    assert records(account, zone) == sets
    eventually(lambda: account.client("route53").get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    assert {account.side.resolve(NAME)[0] for _turn in range(20)} == {("127.51.0.1",)}
    for bad, code in (
        (record("node-3", "127.51.0.3", Weight=1, TTL=30), "InvalidChangeBatch"),
        (record(None, "127.51.0.3", Weight=1), "InvalidInput"),
    ):
        with pytest.raises(ClientError) as error:
            change(account, zone, ("CREATE", bad))
        assert error.value.response["Error"]["Code"] == code


def test_a_record_whose_health_check_fails_is_left_out_while_another_is_healthy(account: Account, zone: str) -> None:
    """Developer guide, "How Amazon Route 53 chooses records when health checking is configured"."""
    account.side.settings.change_insync = 0.0
    route53 = account.client("route53")
    sets = []
    for number in (1, 2):
        address = f"127.51.0.{number}"
        config = {"Type": "TCP", "IPAddress": address, "Port": 80}
        made = route53.create_health_check(CallerReference=address, HealthCheckConfig=config)["HealthCheck"]["Id"]
        sets.append(multivalue(f"node-{number}", address, HealthCheckId=made))
    change(account, zone, *(("CREATE", item) for item in sets))
    silent: set[str] = {"127.51.0.2"}
    account.side.dns_probe = lambda address, _port: address not in silent
    assert account.side.resolve("app.example.com")[0] == ("127.51.0.1",)
    silent.add("127.51.0.1")
    assert sorted(account.side.resolve("app.example.com")[0]) == ["127.51.0.1", "127.51.0.2"]
