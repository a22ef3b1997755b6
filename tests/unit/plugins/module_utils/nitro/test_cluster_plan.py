"""What is wanted of a membership, read from options; the plans and refusals that need no appliance to be decided."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError, NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.cluster import (
    Cluster,
    DesiredMember,
    Fit,
    Member,
    Node,
    ObservedMember,
    explained,
    interface_with,
    outside,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.cluster_plan import GRACE, Do, plan, timeouts

from .test_cluster_work import OPTIONS

NSIP, OTHER, CLIP = "10.0.1.10", "10.0.1.11", "10.0.1.100"
ADDRESSES = ((NSIP, "NSIP", "255.255.255.0"),)
SERVING = ("ACTIVE", "ACTIVE", "UP", "UP")


def desired(**options: Any) -> DesiredMember:
    return DesiredMember.from_params({**OPTIONS, "nsip": NSIP, **options})


def member(number: int, address: str, states: tuple[str, str, str, str] = SERVING) -> Member:
    return Member(number, address, *states)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"clip": NSIP}, "another address than the appliance's own"),
        ({"clip": "10.0.1.100/24"}, "a CLIP is a single address"),
        ({"clip": "no address"}, "clip 'no address' is no address"),
        ({"cluster_id": 17}, "cluster_id must be 1 to 16, not 17"),
        ({"cluster_id": 0}, "cluster_id must be 1 to 16, not 0"),
        ({"node_id": 32}, "node_id must be 0 to 31, not 32"),
        ({"priority": 32}, "priority must be 0 to 31"),
        ({"drain_minutes": 1441}, "drain_minutes must be 0 to 1440"),
        ({"backplane": "eth0"}, "backplane must be an interface such as 1/1"),
    ],
)
def test_what_no_appliance_would_take(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NitroInputError, match=sentence):
        desired(**options)


@pytest.mark.parametrize(
    ("given", "backplane"), [(None, "2/1/1"), ("1/2", "2/1/2"), ("LA/1", "2/LA/1"), ("2/1/3", "2/1/3")]
)
def test_the_backplane_carries_the_number_of_its_node(given: str | None, backplane: str) -> None:
    assert desired(backplane=given, clip=f"{CLIP}/32").backplane(2) == backplane


def test_what_is_tuned_and_what_is_left_alone() -> None:
    there = Member(2, NSIP, *SERVING, backplane="2/1/2", tunnel_mode="UDP", priority=31)
    assert desired(tunnel_mode="UDP").tuning(there) is None
    assert desired(tunnel_mode="GRE", priority=5, backplane="1/1").tuning(there) == {
        "nodeid": 2,
        "backplane": "2/1/1",
        "tunnelmode": "GRE",
        "priority": 5,
    }
    # A build that does not know tunnelmode (12.1) is not told of it.
    assert desired().tuning(member(2, NSIP)) is None
    assert desired(priority=5).declaration(2)["priority"] == 5


def test_where_a_node_has_arrived() -> None:
    assert member(0, NSIP).arrived("ACTIVE")
    assert not member(0, NSIP, ("ACTIVE", "ACTIVE", "UP", "INIT")).arrived("ACTIVE")
    assert not member(0, NSIP, ("PASSIVE", "ACTIVE", "UP", "UP")).arrived("PASSIVE")
    assert member(0, NSIP, ("SPARE", "ACTIVE", "UP", "UP")).arrived("SPARE")
    assert not member(0, NSIP, ("SPARE", "INACTIVE", "INIT", "INIT")).arrived("SPARE")


def test_the_network_of_the_clip() -> None:
    assert outside(CLIP, Node(addresses=ADDRESSES), NSIP) is None
    assert outside("10.0.2.1", Node(addresses=ADDRESSES), NSIP) == "10.0.1.0/24"
    assert outside("10.0.2.1", Node(addresses=((NSIP, "NSIP", ""),)), NSIP) is None
    assert outside("adc.example.org", Node(addresses=ADDRESSES), NSIP) is None
    assert outside(CLIP, Node(), NSIP) is None


def test_an_error_that_is_known_says_what_to_do() -> None:
    assert "same software build" in str(explained(NitroError("no", code=2474)))
    assert str(explained(NitroError("no", code=1))) == "no"


FULL = Cluster(1, members=tuple(member(number, f"10.0.1.{number + 101}") for number in range(32)))
PAIR = Cluster(1, members=(member(0, NSIP), member(1, OTHER)))


@pytest.mark.parametrize(
    ("options", "view", "sentence"),
    [
        ({}, ObservedMember(FULL, Node()), "has 32 nodes, more are not possible"),
        (
            {"form": True},
            ObservedMember(Cluster(None, operational=False), Node()),
            "is taken: the appliance that answers there",
        ),
        (
            {"form": True},
            ObservedMember(None, Node(addresses=(*ADDRESSES, (CLIP, "SNIP", "255.255.255.0")))),
            r"is one of its own addresses \(SNIP\)",
        ),
        ({}, ObservedMember(None, Node(1)), "has begun to form cluster 1 and did not finish; give form=true"),
        ({"form": True}, ObservedMember(None, Node(2)), "is in cluster 2 already, not 1"),
        (
            {"form": True},
            ObservedMember(None, Node(1, addresses=(("10.0.1.200", "CLIP", "255.255.255.255"),))),
            r"its cluster has CLIP 10\.0\.1\.200, not 10\.0\.1\.100",
        ),
        (
            {},
            ObservedMember(None, Node(1, operational=True, members=(member(0, OTHER),))),
            "is in cluster 1, but clip 10.0.1.100 does not answer: no answer",
        ),
        (
            {},
            ObservedMember(Cluster(1, members=(member(0, OTHER),)), None, "", "no answer there"),
            "no answer there",
        ),
        (
            {"state": "absent"},
            ObservedMember(None, None, "silence", "no answer there"),
            r"no answer there; and no .*\(silence\)",
        ),
        ({"state": "absent", "cluster_id": 3}, ObservedMember(PAIR, Node(1)), "belongs to cluster 1, not 3"),
        ({"state": "absent"}, ObservedMember(PAIR, Node(1)), "half of its nodes"),
    ],
)
def test_invalid_requests_are_refused(options: dict[str, Any], view: ObservedMember, sentence: str) -> None:
    with pytest.raises(NitroError, match=sentence):
        plan(desired(**options), view)


def test_an_inc_cluster_may_have_its_clip_elsewhere_and_unknown_licences_are_no_mismatch() -> None:
    inc = Cluster(1, inc=True, members=(member(0, "10.0.2.10"),), fit=Fit())
    moves = plan(
        desired(clip="10.0.2.100"), ObservedMember(inc, Node(addresses=ADDRESSES, fit=Fit("14.1-43.50", ("lb",))))
    )
    assert [move.do for move in moves][-2:] == [Do.REBOOT, Do.AWAIT_ARRIVAL]


def test_only_snips_are_taken_away_with_a_node() -> None:
    rows = [(OTHER, "NSIP", 1), ("10.0.3.11", "SNIP", "1"), ("10.0.3.9", "SNIP", 255), ("10.0.2.9", "VIP", 1)]
    addresses = [{"ipaddress": address, "type": kind, "ownernode": owner} for address, kind, owner in rows]
    addresses.append({"ipaddress": "10.0.3.12", "type": "SNIP"})
    cluster = Cluster.from_rows([{"clid": 1}], [], addresses, unsaved=False, fit=None)
    assert [cluster.spotted_on(number) for number in (0, 1)] == [[], ["10.0.3.11"]]


def test_nothing_is_left_to_do_where_everything_is_gone() -> None:
    gone = ObservedMember(None, None, "silence", "no answer there")
    assert plan(desired(state="absent", dissolve=True), gone) == ()
    assert plan(desired(state="absent"), ObservedMember(None, Node())) == ()
    assert [move.do for move in plan(desired(state="absent"), ObservedMember(None, Node(unsaved=True)))] == [
        Do.SAVE_LEFT
    ]
    assert plan(desired(state="absent", save_config=False), ObservedMember(None, Node(unsaved=True))) == ()


@pytest.mark.parametrize(
    ("options", "view", "seconds"),
    [
        ({}, ObservedMember(PAIR), 0.0),
        (
            {},
            ObservedMember(Cluster(1, members=(member(0, NSIP, ("ACTIVE", "INACTIVE", "DOWN", "NOT UP")),))),
            math.inf,
        ),
        ({}, ObservedMember(Cluster(1, members=(member(0, OTHER),))), GRACE),
        ({}, ObservedMember(None, Node(1, members=(member(0, OTHER),))), GRACE),
        ({}, ObservedMember(None, Node(1, operational=True)), math.inf),
        ({"form": True}, ObservedMember(), math.inf),
        ({"form": True}, ObservedMember(None, Node(1)), 0.0),
        ({"state": "absent"}, ObservedMember(PAIR), GRACE),
        ({"state": "absent"}, ObservedMember(None, Node(1, operational=True)), math.inf),
        ({"state": "absent", "dissolve": True}, ObservedMember(None, Node(1, operational=True)), 0.0),
        ({"state": "absent", "dissolve": True}, ObservedMember(), GRACE),
    ],
)
def test_how_long_it_is_looked_again(options: dict[str, Any], view: ObservedMember, seconds: float) -> None:
    assert timeouts(desired(**options), view) == seconds


@pytest.mark.parametrize(
    ("mac", "name"),
    [("0a:00:00:00:00:02", "1/1"), ("0a:00:00:00:00:01", "1/2"), ("0a:00:00:00:00:09", None)],
)
def test_the_backplane_is_the_interface_with_the_mac_address_whatever_its_place(mac: str, name: str | None) -> None:
    rows = [
        {"id": "0/1/1", "mac": "0A:00:00:00:00:02"},
        {"id": "1/2", "mac": "0a:00:00:00:00:01"},
        {"id": "LO/1", "mac": "00:00:00:00:00:00"},
    ]
    assert interface_with(mac, rows) == name
