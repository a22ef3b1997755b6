"""Health checks of nodes behind a name: one a record, used again, and never one of others removed."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns import record_plan
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns.health_checks import (
    CheckSpec,
    HealthChecks,
    prefix_of,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns.record_plan import (
    Batch,
    DesiredRecord,
    Node,
)

SPEC = CheckSpec(port=443)
NAME = "shop.example.com."


class Route53:
    """``list_health_checks`` and the writes; ``checks``: what there is."""

    def __init__(self, *checks: dict[str, Any]) -> None:
        self.checks, self.written = list(checks), []

    def get_paginator(self, _name: str) -> Route53:
        return self

    def paginate(self) -> Route53:
        return self

    def build_full_result(self) -> dict[str, Any]:
        return {"HealthChecks": self.checks}

    def create_health_check(self, CallerReference: str, HealthCheckConfig: dict[str, Any]) -> dict[str, Any]:
        self.written.append("create")
        made: dict[str, Any] = {"Id": f"hc-{len(self.checks)}", "CallerReference": CallerReference}
        made["HealthCheckConfig"] = HealthCheckConfig
        self.checks.append(made)
        return {"HealthCheck": made}

    def delete_health_check(self, HealthCheckId: str) -> None:
        self.written.append(f"delete {HealthCheckId}")


def _check(number: int, identifier: str, address: str, port: int = 443, prefix: str = "") -> dict[str, Any]:
    reference = f"{prefix or prefix_of('Z1', NAME, identifier)}1"
    config = CheckSpec(port=port).config(address)
    return {"Id": f"hc-{number}", "CallerReference": reference, "HealthCheckConfig": config}


def _record(identifier: str, address: str, check: str | None = None) -> dict[str, Any]:
    found = {"Name": NAME, "Type": "A", "SetIdentifier": identifier, "TTL": 60, "MultiValueAnswer": True}
    found["ResourceRecords"] = [{"Value": address}]
    return found | ({"HealthCheckId": check} if check else {})


def _desired(*nodes: Node, present: bool = True, spec: CheckSpec | None = SPEC) -> DesiredRecord:
    return DesiredRecord("shop.example.com", "A", 60, "multivalue", nodes, present, False, spec)


def _batch(request: DesiredRecord, *existing: dict[str, Any]) -> Batch:
    return Batch((record_plan.plan(request, existing),))


def _checks(client: Route53, *, check_mode: bool = False) -> HealthChecks:
    return HealthChecks(client, "Z1", check_mode)


def test_a_node_gets_a_check_at_its_address_and_the_record_names_it() -> None:
    client, request = Route53(), _desired(Node("i-1", "203.0.113.1"))
    (with_check,), made = _checks(client).ensured([request], _batch(request))
    assert (with_check.nodes[0].health_check_id, made, client.written) == ("hc-0", ["hc-0"], ["create"])
    config = client.checks[0]["HealthCheckConfig"]
    assert (config["IPAddress"], config["Port"], config["Type"]) == ("203.0.113.1", 443, "TCP")
    assert len(client.checks[0]["CallerReference"]) <= 64


@pytest.mark.parametrize("check", ["hc-7", None], ids=["named by the record", "left by an interrupted run"])
def test_a_check_that_fits_is_used_again(check: str | None) -> None:
    client, request = Route53(_check(7, "i-1", "203.0.113.1")), _desired(Node("i-1", "203.0.113.1"))
    batch = _batch(request, _record("i-1", "203.0.113.1", check))
    (with_check,), made = _checks(client).ensured([request], batch)
    assert (with_check.nodes[0].health_check_id, made, client.written) == ("hc-7", [], [])


def test_a_check_of_another_port_is_replaced_and_deleted_after_the_record_was_written() -> None:
    client, request = Route53(_check(7, "i-1", "203.0.113.1", port=80)), _desired(Node("i-1", "203.0.113.1"))
    existing = _record("i-1", "203.0.113.1", "hc-7")
    checks = _checks(client)
    (with_check,), _made = checks.ensured([request], _batch(request, existing))
    assert checks.cleaned_up([with_check], _batch(with_check, existing)) == ["hc-7"]
    assert client.written == ["create", "delete hc-7"]


def test_the_check_of_a_node_that_leaves_is_deleted_and_no_other() -> None:
    others = [_check(8, "i-2", "203.0.113.2"), _check(9, "i-1", "203.0.113.1", prefix="mine-")]
    client = Route53(_check(7, "i-1", "203.0.113.1"), *others)
    request = _desired(Node("i-1", None), present=False, spec=None)
    batch = _batch(request, _record("i-1", "203.0.113.1", "hc-7"), _record("i-2", "203.0.113.2", "hc-8"))
    assert _checks(client).cleaned_up([request], batch) == ["hc-7"]
    assert client.written == ["delete hc-7"]


@pytest.mark.parametrize("purge", [False, True], ids=["node named", "whole record"])
def test_the_check_of_a_record_that_an_interrupted_run_removed_is_deleted(purge: bool) -> None:
    client = Route53(_check(7, "i-1", "203.0.113.1"), _check(8, "i-1", "203.0.113.1", prefix="cloudadc-other-"))
    named = () if purge else (Node("i-1", None),)
    request = DesiredRecord("shop.example.com", "A", 60, "multivalue", named, False, purge, None)
    assert _checks(client).cleaned_up([request], _batch(request)) == ["hc-7"]


@pytest.mark.parametrize("had", [False, True])
def test_rights_to_health_checks_are_needed_only_where_there_is_one(had: bool) -> None:
    client = Route53()

    def refuse() -> None:
        denied = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: route53:ListHealthChecks"}}
        raise ClientError(denied, "ListHealthChecks")

    client.build_full_result = refuse  # type: ignore[method-assign, assignment]
    request = _desired(Node("i-1", None), present=False, spec=None)
    batch = _batch(request, _record("i-1", "203.0.113.1", "hc-7" if had else None))
    with pytest.raises(AwsError) if had else contextlib.nullcontext():
        assert _checks(client).cleaned_up([request], batch) == []


def test_the_check_of_a_record_that_stays_is_kept() -> None:
    client = Route53(_check(7, "i-1", "203.0.113.1"), _check(8, "i-2", "203.0.113.2"))
    request = _desired(Node("i-1", None), present=False, spec=None)
    batch = _batch(request, _record("i-2", "203.0.113.2", "hc-8"))
    assert _checks(client).cleaned_up([request], batch) == ["hc-7"]


def test_a_check_of_others_is_never_deleted() -> None:
    client = Route53(_check(7, "i-1", "203.0.113.1", prefix="mine-"))
    request = _desired(Node("i-1", None), present=False, spec=None)
    assert _checks(client).cleaned_up([request], _batch(request, _record("i-1", "203.0.113.1", "hc-7"))) == []


def test_check_mode_writes_nothing() -> None:
    client, request = Route53(), _desired(Node("i-1", "203.0.113.1"))
    (with_check,), made = _checks(client, check_mode=True).ensured([request], _batch(request))
    assert (with_check.nodes[0].health_check_id, made, client.written) == (None, [], [])


def test_a_node_that_names_its_check_is_left_alone() -> None:
    client, request = Route53(), _desired(Node("i-1", "203.0.113.1", health_check_id="theirs"))
    (with_check,), made = _checks(client).ensured([request], _batch(request))
    assert (with_check.nodes[0].health_check_id, made) == ("theirs", [])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"port": 0}, "port must be"),
        ({"port": 80, "failure_threshold": 11}, "failure_threshold"),
        ({"port": 80, "type": "TCP", "resource_path": "/up"}, "needs type HTTP"),
    ],
)
def test_options_that_make_no_check_are_refused(option: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        CheckSpec.from_option(option)
