"""vpx_pair_info: everything that a pair depends on, all problems at once, and the plan of each step."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_steps import pair_steps
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair
from tests.lab.settings import CHECKOUT

from .conftest import Cloud

POLICY = json.loads((CHECKOUT / "roles" / "preflight" / "files" / "policies" / "appliance_ha_minimal.json").read_text())


def definition(cloud: Cloud, **changes: Any) -> dict[str, Any]:
    given = {name: value for name, value in cloud.lab.variables("ha_pair").items() if name.startswith("ha_pair_")}
    found, wrong = read_pair({**given, **{f"ha_pair_{name}": value for name, value in changes.items()}})
    assert wrong == []
    return found


def info(cloud: Cloud, **changes: Any) -> dict[str, Any]:
    result = cloud.run("vpx_pair_info", definition=definition(cloud, **changes), policy=POLICY)
    assert not result["failed"], result
    assert cloud.writes == Counter()
    return result


def done(cloud: Cloud, module: str, **params: Any) -> dict[str, Any]:
    result = cloud.run(module, **params)
    assert not result["failed"], result
    return result


def build(cloud: Cloud, found: dict[str, Any]) -> None:
    """The first two steps of role ha_pair."""
    shared = done(cloud, "vpx_shared_resources", **found["plan"]["shared"]["options"])
    plan = found["plan"]
    launch = {"image_id": plan["image_id"], "key_name": plan["key_name"], "iam_instance_profile": "lab-pair-vpx"}
    sets = pair_steps(found, shared)["sets"]
    done(cloud, "vpx_instance", kind="pair", group="lab-pair", sets=sets, tags=plan["tags"], **launch)


def test_steps_have_something_to_do_until_it_is_done(cloud: Cloud) -> None:
    first = info(cloud)
    assert first["problems"] == []
    assert first["instances"] == []
    assert (first["plan"]["shared"]["due"], first["plan"]["instances"]["due"]) == (True, True)
    assert first["plan"]["vpc_id"] == cloud.seed["vpc_id"]
    reads = Counter({name: count for name, count in cloud.calls.items() if name.startswith("Describe")})
    assert max(reads.values()) <= 4, reads

    build(cloud, first)
    second = info(cloud)
    assert second["problems"] == []
    assert [one["node_id"] for one in second["instances"]] == [0, 1]
    assert (second["plan"]["shared"]["due"], second["plan"]["instances"]["due"]) == (False, False)
    assert pair_steps(second)["groups_complete"]
    assert pair_steps(second)["complete"]

    other = info(cloud, client_cidrs=["10.0.0.0/8"])
    assert (other["plan"]["shared"]["due"], other["plan"]["instances"]["due"]) == (True, False)


def test_all_problems_are_returned_at_once(cloud: Cloud) -> None:
    nodes = cloud.lab.variables("ha_pair")["ha_pair_nodes"]
    lost = "subnet-0123456789abcdef0"
    found = info(
        cloud,
        nodes=[{**nodes[0], "client_subnet_id": lost}, nodes[1]],
        image_id="ami-0123456789abcdef0",
        instance_type="t2.micro",
        key_name="lost",
        elastic_ips=["203.0.113.9"],
    )
    message = "\n".join(found["problems"])
    for name in (lost, "ami-0123456789abcdef0", "t2.micro", "key pair lost", "203.0.113.9"):
        assert message.count(name) == 1, message


@pytest.mark.parametrize("kind", ["pair", "group"])
def test_a_namesake_of_another_kind_is_a_problem(cloud: Cloud, kind: str) -> None:
    [there] = done(
        cloud,
        "vpx_instance",
        kind=kind,
        group="lab-pair",
        image_id=cloud.seed["image_id"],
        interfaces=cloud.interfaces(),
    )["launched"]
    found = info(cloud)
    if kind == "pair":
        assert found["problems"] == []
    else:
        assert any(
            f"The name lab-pair belongs to a group with the instances {there}." in one for one in found["problems"]
        )


def test_definition_that_lacks_keys_is_refused_before_anything_is_read(cloud: Cloud) -> None:
    result = cloud.run("vpx_pair_info", definition={"name": "shop"}, policy=POLICY)
    assert result["failed"]
    assert "definition is incomplete" in result["msg"]
    assert "exception" not in result
    assert cloud.calls == {}
