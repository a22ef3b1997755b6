"""SNIPs, routes and the return path: what is written, and which routes are refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError, NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import network
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.network import Desired, Observed
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.routes import ROUTE_WEIGHT
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import Change

NSIP = "10.0.1.10"
MASK = "255.255.255.0"
OPTIONS: dict[str, Any] = {
    "nsip": NSIP,
    "snips": None,
    "routes": None,
    "purge_routes": True,
    "return_path": None,
    "return_gateways": None,
    "protected_networks": None,
    "state": "present",
}
OWN = (
    {"ipaddress": NSIP, "netmask": MASK, "type": "NSIP"},
    {"ipaddress": "10.0.21.10", "netmask": MASK, "type": "SNIP"},
)
DEFAULT = {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.1.1", "permanent": True}
OTHER_ZONE = {"network": "10.0.31.0/24", "gateway": "10.0.21.1"}


def desired(**options: Any) -> Desired:
    return Desired.from_params({**OPTIONS, **options})


def observed(*routes: dict[str, Any], **facts: Any) -> Observed:
    return Observed(**{"addresses": OWN, "routes": (DEFAULT, *routes), "peers": ("10.0.11.10",), **facts})


def row(net: str, gateway: str = "10.0.21.1", weight: object = str(ROUTE_WEIGHT)) -> dict[str, Any]:
    return {"network": net, "netmask": MASK, "gateway": gateway, "weight": weight}


def message(steps: list[Change]) -> list[str]:
    return [f"{step.phrase} {step.args.get('gateway') or step.body.get('gateway', '')}".strip() for step in steps]


@pytest.mark.parametrize(
    ("routes", "known", "purge", "writes"),
    [
        (None, [row("10.0.31.0")], True, []),
        ([OTHER_ZONE], [], True, ["add route 10.0.31.0 10.0.21.1"]),
        ([OTHER_ZONE], [row("10.0.31.0")], True, []),
        ([OTHER_ZONE], [row("10.0.31.0", weight="1")], True, []),
        ([], [row("10.0.31.0")], True, ["delete route 10.0.31.0 10.0.21.1"]),
        ([], [row("10.0.31.0")], False, []),
        ([], [row("10.0.31.0", weight="1"), row("10.0.41.0", weight=None)], True, []),
        (
            [OTHER_ZONE],
            [row("10.0.31.0", "10.0.21.2"), row("10.0.41.0")],
            False,
            ["add route 10.0.31.0 10.0.21.1", "delete route 10.0.31.0 10.0.21.2"],
        ),
        (
            [OTHER_ZONE],
            [row("10.0.41.0")],
            True,
            ["add route 10.0.31.0 10.0.21.1", "delete route 10.0.41.0 10.0.21.1"],
        ),
    ],
)
def test_purge_removes_only_routes_of_this_collection(
    routes: Any, known: list[dict[str, Any]], purge: bool, writes: list[str]
) -> None:
    assert message(network.plan(desired(routes=routes, purge_routes=purge), observed(*known))) == writes


def test_a_route_that_is_made_carries_the_mark() -> None:
    [step] = network.plan(desired(routes=[OTHER_ZONE]), observed())
    assert step.body == {"network": "10.0.31.0", "netmask": MASK, "gateway": "10.0.21.1", "weight": ROUTE_WEIGHT}


def test_a_foreign_route_to_the_same_network_is_a_refusal() -> None:
    with pytest.raises(NitroError, match=r"sends 10.0.31.0/24 to 10.0.21.9 by a route that this module did not make"):
        network.plan(desired(routes=[OTHER_ZONE]), observed(row("10.0.31.0", "10.0.21.9", "1")))


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        ("0.0.0.0/0", "default route"),
        ("10.0.0.0/16", r"overlaps the management subnet 10.0.1.0/24"),
        ("10.0.1.0/24", r"overlaps the management subnet"),
        ("10.0.1.128/25", r"overlaps the management subnet"),
        ("10.0.8.0/21", r"contains 10.0.11.10, the management address of a node"),
        ("169.254.169.254/32", r"overlaps 169.254.0.0/16"),
        ("10.0.64.0/18", r"overlaps 10.0.99.0/24"),
    ],
)
def test_a_route_that_takes_the_way_of_management_traffic_is_refused(destination: str, reason: str) -> None:
    asked = desired(
        routes=[{"network": destination, "gateway": "10.0.21.1"}],
        protected_networks=["10.0.99.0/24"],
        return_path="mbf",
    )
    with pytest.raises(NitroInputError, match=reason):
        network.plan(asked, observed(mbf=False))


def test_a_gateway_outside_of_all_subnets_is_refused_unless_a_snip_comes_with_it() -> None:
    route = {"network": "10.0.31.0/24", "gateway": "10.0.22.1"}
    with pytest.raises(NitroInputError, match=r"gateway 10.0.22.1 of 10.0.31.0/24 is in no subnet of this appliance"):
        network.plan(desired(routes=[route]), observed())
    snip = {"ip_address": "10.0.22.10", "netmask": MASK, "owner_node": None}
    steps = network.plan(desired(routes=[route], snips=[snip]), observed())
    assert message(steps) == ["add nsip 10.0.22.10", "add route 10.0.31.0 10.0.22.1"]


@pytest.mark.parametrize(
    ("path", "mbf", "pbrs", "writes"),
    [
        (None, None, (), []),
        ("mbf", True, (), []),
        ("mbf", False, (), ["enable nsmode ['MBF']"]),
        ("none", False, (), []),
        ("none", True, (), ["disable nsmode ['MBF']"]),
        ("none", False, ({"name": "theirs"},), []),
        ("none", False, ({"name": "cloudadc-10.0.2.0-24"},), ["delete nspbr cloudadc-10.0.2.0-24", "apply nspbrs"]),
        (
            "mbf",
            False,
            ({"name": "cloudadc-10.0.2.0-24"},),
            ["enable nsmode ['MBF']", "delete nspbr cloudadc-10.0.2.0-24", "apply nspbrs"],
        ),
        ("pbr", True, (), ["add nspbr cloudadc-10.0.21.0-24", "apply nspbrs", "disable nsmode ['MBF']"]),
    ],
)
def test_the_new_return_path_is_in_force_before_the_old_one_goes(
    path: str | None, mbf: bool | None, pbrs: tuple[dict[str, Any], ...], writes: list[str]
) -> None:
    gateways = [{"network": "10.0.21.0/24", "gateway": "10.0.21.1"}]
    steps = network.plan(desired(return_path=path, return_gateways=gateways), observed(mbf=mbf, pbrs=pbrs))
    assert message(steps) == writes


def test_a_policy_route_leaves_traffic_of_the_nsip_and_of_its_own_subnet_alone() -> None:
    gateways = [{"network": "10.0.21.0/24", "gateway": "10.0.21.1"}]
    asked = desired(return_path="pbr", return_gateways=gateways)
    step = network.plan(asked, observed(mbf=False))[0]
    hosts = "10.0.21.0-10.0.21.255"
    assert (step.body["srcipval"], step.body["destipop"], step.body["destipval"]) == (hosts, "!=", hosts)
    assert step.body["nexthopval"] == "10.0.21.1"
    applied = {**step.body, "priority": "4200", "kernelstate": "APPLIED"}
    assert network.plan(asked, observed(mbf=False, pbrs=(applied,))) == []
    left = {**applied, "kernelstate": "NOTAPPLIED"}
    assert message(network.plan(asked, observed(mbf=False, pbrs=(left,)))) == ["apply nspbrs"], "of an interrupted run"
    moved = {**applied, "nexthopval": "10.0.21.2"}
    assert message(network.plan(asked, observed(mbf=False, pbrs=(moved,)))) == [
        "update nspbr cloudadc-10.0.21.0-24",
        "apply nspbrs",
    ]


def test_absent_removes_what_is_named_routes_first() -> None:
    snip = {"ip_address": "10.0.21.10", "netmask": None, "owner_node": None}
    asked = desired(state="absent", snips=[snip], routes=[OTHER_ZONE])
    steps = network.plan(asked, observed(row("10.0.31.0", weight="1"), row("10.0.41.0")))
    assert message(steps) == ["delete route 10.0.31.0 10.0.21.1", "delete nsip 10.0.21.10"]


def test_what_check_mode_predicts_is_what_a_run_reads_back() -> None:
    snip = {"ip_address": "10.0.22.10", "netmask": "24", "owner_node": None}
    asked = desired(routes=[OTHER_ZONE], snips=[snip], return_path="mbf")
    before = observed(row("10.0.41.0"), mbf=False)
    assert network.describe(asked, before) == {
        "snips": [],
        "routes": [{"network": "10.0.41.0/24", "gateway": "10.0.21.1"}],
        "return_path": "none",
    }
    assert network.predict(asked, before) == {
        "snips": [{"ip_address": "10.0.22.10", "netmask": MASK}],
        "routes": [OTHER_ZONE],
        "return_path": "mbf",
    }


def test_a_mode_that_reads_back_off_is_a_failure() -> None:
    assert network.unmet(desired(return_path="mbf"), observed(mbf=True)) is None
    assert "reads back as none" in str(network.unmet(desired(return_path="mbf"), observed(mbf=False)))
    assert network.unmet(desired(), observed()) is None


def test_mbf_in_a_cluster_is_a_warning() -> None:
    clip = {"ipaddress": "10.0.1.50", "netmask": "255.255.255.255", "type": "CLIP"}
    [sentence] = network.warnings(desired(return_path="mbf"), observed(addresses=(*OWN, clip), mbf=False))
    assert "linksets" in sentence
    assert network.warnings(desired(return_path="mbf"), observed(mbf=False)) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"routes": [{"network": "10.0.31.1/24", "gateway": "10.0.21.1"}]}, "routes: 10.0.31.1/24 has host bits set"),
        ({"routes": [{"network": "10.0.31.0/24", "gateway": "web"}]}, "gateway of 10.0.31.0/24"),
        ({"routes": [OTHER_ZONE, {**OTHER_ZONE, "gateway": "10.0.21.2"}]}, "two gateways, 10.0.21.1 and 10.0.21.2"),
        ({"return_path": "pbr"}, "return_path=pbr needs return_gateways"),
        ({"protected_networks": ["everything"]}, "protected_networks"),
    ],
)
def test_what_no_appliance_would_take_is_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(NitroInputError, match=f"^{NSIP}: .*{reason}"):
        desired(**options)
