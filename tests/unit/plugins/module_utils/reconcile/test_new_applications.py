"""Applications that the definition of a living group adds are no drift; what was removed by hand is."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.registry import REGISTRY
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_drift import new_applications
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_reading import Nodes
from tests.contract.groups import group

OPEN = {"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}]}


@pytest.mark.parametrize(
    ("state", "groups", "new"),
    [
        ({}, [], {"web", "names"}),
        ({"target_groups": [{"application": "web"}]}, [], {"names"}),
        ({"records": {"web.example.com": [{"identifier": "i-1"}], "names.example.com": []}}, [], {"names"}),
        ({}, [OPEN], {"names"}),
    ],
    ids=["nothing of them", "target group", "record set", "open port"],
)
@pytest.mark.parametrize("distributor", ["nlb", "dns"])
def test_application_of_which_nothing_exists_is_new(
    distributor: str, state: dict[str, Any], groups: list[Any], new: set[str]
) -> None:
    known = {"target_groups": [], "records": {}, **state}
    assert new_applications(group(distributor), Nodes(security_groups=groups), known) == new


@pytest.mark.parametrize(
    ("record", "written"),
    [
        ({"health_check_id": "hc-1", "health_check_port": 80}, False),
        ({"health_check_id": "hc-1", "health_check_port": None}, False),
        ({"health_check_id": "hc-1", "health_check_port": 8080}, True),
        ({"health_check_id": "hc-1", "health_check_port": 0}, True),
        ({"health_check_id": None, "health_check_port": None}, True),
    ],
    ids=["same port", "not read", "former port", "deleted", "none"],
)
def test_record_set_whose_health_check_has_a_former_port_is_written(record: dict[str, Any], written: bool) -> None:
    definition = group("dns", dns={"zone": "example.com", "health_check": True})
    node = {"instance_id": "i-1", "interfaces": {"client": {"public_ip": "203.0.113.1"}}}
    known = {"identifier": "i-1", "value": "203.0.113.1", "ttl": 60, **record}
    plain = {**known, "health_check_id": None}
    state = {"definition": definition, "records": {"web.example.com": [known], "names.example.com": [plain]}}
    due = [entry["record"] for entry in REGISTRY["dns"].register(state, [node])["records"]]
    assert ("web.example.com" in due) is written
    assert "names.example.com" not in due, "UDP is not checked"
