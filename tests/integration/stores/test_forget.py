"""autoscale_forget, on both stores: the records of one group go, and those of its neighbours stay."""

from __future__ import annotations

from typing import Any

from tests.contract.stores import Options
from tests.modules import run_module
from tests.unit.plugins.module_utils.scaling.scenario import HIGH, iso, policy_dict


def tick(options: Options, group: str, zone: str) -> None:
    given = {"group": group, "zone": zone, "policy": policy_dict(), "node_count": 3, "now": iso(1)}
    assert not run_module("autoscale_evaluate", {**given, "sample": {"memory": HIGH}, **options})["failed"]


def zones(options: Options, group: str) -> list[str]:
    return [record["zone"] for record in run_module("autoscale_info", {"group": group, **options})["records"]]


def forget(options: Options, *, check: bool = False, **more: Any) -> dict[str, Any]:
    result = run_module("autoscale_forget", {"group": "shop", **options, **more}, check=check)
    assert not result["failed"], result
    return result


def test_a_group_is_forgotten_and_no_other(options: Options) -> None:
    for group, zone in (("shop", "a"), ("shop", "b"), ("shop-2", "a")):
        tick(options, group, zone)
    assert forget(options, check=True)["zones"] == ["a", "b"] == zones(options, "shop")
    assert forget(options, zones=["b", "c"])["zones"] == ["b"]
    assert forget(options)["zones"] == ["a"]
    assert (zones(options, "shop"), zones(options, "shop-2")) == ([], ["a"])
    assert forget(options)["changed"] is False
