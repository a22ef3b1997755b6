"""route53_adc_record's decisions, as tables, and how it reads, writes and waits, against a zone in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns.record_changes import converge, group, wait
from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.dns.record_plan import (
    MOST_ELEMENTS,
    Batch,
    DesiredRecord,
    Node,
    Plan,
    check,
    choose_zone,
    plan,
    refuse_foreign_name,
)

NAME = "shop.example.com."


def request(*nodes: Node, **more: Any) -> DesiredRecord:
    base = DesiredRecord("shop.example.com", "A", 60, "multivalue", nodes, present=True, purge=False)
    return replace(base, **more)


def node(name: str, host: int = 10, **more: Any) -> Node:
    return Node(name, f"203.0.113.{host}", **more)


def multi(name: str, host: int = 10, **more: Any) -> dict[str, Any]:
    base = {"Name": NAME, "Type": "A", "SetIdentifier": name, "MultiValueAnswer": True, "TTL": 60}
    return base | {"ResourceRecords": [{"Value": f"203.0.113.{host}"}]} | more


def weighted(name: str, host: int = 10, weight: int = 1, **more: Any) -> dict[str, Any]:
    base = multi(name, host) | {"Weight": weight} | more
    return {field: value for field, value in base.items() if field != "MultiValueAnswer"}


SIMPLE = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.99"}]}
LATENCY = weighted("z", 30) | {"Region": "eu-west-1"}
LATENCY.pop("Weight")
WEIGHTED = {"policy": "weighted"}
ABSENT = {"present": False}


def steps(chosen: Plan) -> list[tuple[str, str]]:
    return [(change["Action"], change["ResourceRecordSet"]["SetIdentifier"]) for change in chosen.changes]


@pytest.mark.parametrize(
    ("desired", "existing", "expected"),
    [
        pytest.param(request(node("a"), node("b", 11)), [], [("CREATE", "a"), ("CREATE", "b")], id="new"),
        pytest.param(request(node("a")), [multi("a")], [], id="there"),
        pytest.param(request(node("a")), [multi("a", Name="SHOP.example.com", TTL="60")], [], id="there, other text"),
        pytest.param(request(node("a", 11)), [multi("a")], [("UPSERT", "a")], id="another value"),
        pytest.param(request(node("b", 11)), [multi("a")], [("CREATE", "b")], id="others stay"),
        pytest.param(request(node("b", 11), purge=True), [multi("a")], [("DELETE", "a"), ("CREATE", "b")], id="purge"),
        pytest.param(
            request(purge=True), [multi("a"), weighted("b")], [("DELETE", "a"), ("DELETE", "b")], id="purge all"
        ),
        pytest.param(request(purge=True), [SIMPLE, LATENCY], [], id="purge leaves what is no node's"),
        pytest.param(request(node("a"), ttl=30), [multi("a")], [("UPSERT", "a")], id="TTL of all that are there"),
        pytest.param(
            request(node("a"), ttl=30, purge=True),
            [multi("a"), multi("b")],
            [("DELETE", "b"), ("UPSERT", "a")],
            id="TTL, with the others gone",
        ),
        pytest.param(request(node("a"), **WEIGHTED), [], [("CREATE", "a")], id="weighted"),
        pytest.param(request(node("a"), **WEIGHTED), [weighted("a", weight=7)], [], id="the weight stays what it is"),
        pytest.param(
            request(node("a", weight=0), **WEIGHTED), [weighted("a")], [("UPSERT", "a")], id="weight 0 is one"
        ),
        pytest.param(
            request(node("a"), **WEIGHTED),
            [multi("a")],
            [("DELETE", "a"), ("CREATE", "a")],
            id="another policy takes two steps",
        ),
        pytest.param(
            request(node("a"), purge=True, **WEIGHTED),
            [multi("a"), multi("b")],
            [("DELETE", "b"), ("DELETE", "a"), ("CREATE", "a")],
            id="another policy for all",
        ),
        pytest.param(request(node("a")), [multi("a", HealthCheckId="h")], [], id="the health check stays what it is"),
        pytest.param(
            request(node("a", health_check_id="")),
            [multi("a", HealthCheckId="h")],
            [("UPSERT", "a")],
            id="an empty health check takes it away",
        ),
        pytest.param(
            request(node("a", health_check_id="i")),
            [multi("a", HealthCheckId="h")],
            [("UPSERT", "a")],
            id="another health check",
        ),
        pytest.param(request(Node("a", None), **ABSENT), [multi("a"), multi("b")], [("DELETE", "a")], id="absent"),
        pytest.param(request(Node("a", None), **ABSENT), [multi("b")], [], id="absent already"),
        pytest.param(
            request(node("a", 99), ttl=5, **ABSENT, **WEIGHTED),
            [multi("a", 10)],
            [("DELETE", "a")],
            id="absent: whatever its values",
        ),
        pytest.param(
            request(**ABSENT, purge=True),
            [SIMPLE, multi("a"), multi("b")],
            [("DELETE", "a"), ("DELETE", "b")],
            id="absent with purge: every node, nothing else",
        ),
        pytest.param(request(Node("a", None), **ABSENT), [SIMPLE], [], id="absent beside a simple record"),
    ],
)
def test_the_batch(desired: DesiredRecord, existing: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    check(desired)
    chosen = plan(desired, existing)
    assert steps(chosen) == expected
    rest = [item for item in existing if not item.get("SetIdentifier")]
    assert plan(desired, [*chosen.after, *rest]).changes == (), "what the plan leads to needs no second plan"
    for change in chosen.changes:
        if change["Action"] == "DELETE":
            assert change["ResourceRecordSet"] in existing, "AWS deletes what matches in every value"


def test_what_is_sent() -> None:
    [created] = plan(request(node("a", health_check_id="h")), []).changes
    assert created == {"Action": "CREATE", "ResourceRecordSet": multi("a", HealthCheckId="h")}
    [light] = plan(request(node("a", weight=0), policy="weighted", ttl=30), []).changes
    assert light["ResourceRecordSet"] == weighted("a", weight=0, TTL=30)
    [changed] = plan(request(node("a", 11), policy="weighted"), [weighted("a", weight=9, HealthCheckId="h")]).changes
    assert changed["ResourceRecordSet"] == weighted("a", 11, 9, HealthCheckId="h")
    six = request(Node("a", "2001:0db8::0001"), type="AAAA", record=r"\052.Example.com")
    [wild] = plan(six, []).changes
    assert wild["ResourceRecordSet"]["Name"] == "*.example.com."
    assert wild["ResourceRecordSet"]["ResourceRecords"] == [{"Value": "2001:db8::1"}]


@pytest.mark.parametrize(
    ("desired", "existing", "ttl"),
    [
        pytest.param(request(node("a"), ttl=30), [], 30, id="present: of the record sets"),
        pytest.param(request(Node("a", None), **ABSENT), [multi("a", TTL=300), multi("b", TTL=300)], 300, id="was 300"),
        pytest.param(request(Node("a", None), **ABSENT), [], 60, id="nothing was removed: the option"),
    ],
)
def test_the_ttl_to_reckon_with(desired: DesiredRecord, existing: list[dict[str, Any]], ttl: int) -> None:
    assert plan(desired, existing).ttl == ttl


@pytest.mark.parametrize(
    ("desired", "existing", "message"),
    [
        pytest.param(request(node("a")), [SIMPLE], r"exists as a simple record \(203.0.113.99\)", id="simple"),
        pytest.param(
            request(node("a"), purge=True), [SIMPLE], "exists as a simple record", id="purge removes no simple"
        ),
        pytest.param(
            request(node("a")), [weighted("b", 11)], r"weighted record set 'b' \(203.0.113.11\)", id="weighted"
        ),
        pytest.param(request(node("a"), **WEIGHTED), [multi("b")], "a multivalue record set 'b'", id="multivalue"),
        pytest.param(request(node("a"), purge=True), [LATENCY], "a latency record set 'z'", id="latency"),
        pytest.param(request(node("a")), [multi("a"), multi("b", TTL=300)], "TTL of 300 s for 'b'", id="another TTL"),
        pytest.param(
            request(*(node(f"n{n}") for n in range(90)), policy="weighted"),
            [weighted(f"m{n}") for n in range(11)],
            "101 weighted record sets",
            id="too many weighted",
        ),
        pytest.param(
            request(*(node(f"n{n}") for n in range(MOST_ELEMENTS + 1))), [], "1001 values", id="too many values"
        ),
        pytest.param(
            request(*(node(f"n{n}", 11) for n in range(501))),
            [multi(f"n{n}") for n in range(501)],
            "1002 values",
            id="changed ones count twice",
        ),
        pytest.param(
            request(*(Node(f"n{n}", ".".join(["a" * 60] * 6)) for n in range(99)), type="CNAME", **WEIGHTED),
            [],
            "36234 characters",
            id="too many characters",
        ),
    ],
)
def test_conflicts_are_named_before_anything_is_written(
    desired: DesiredRecord, existing: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(Refusal, match=message) as refused:
        plan(desired, existing)
    assert "nothing was written" in str(refused.value)


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        (request(node("a"), node("a", 11)), "node 'a' is named twice"),
        (request(Node("", "203.0.113.10")), "1 to 128 characters"),
        (request(Node("x" * 129, "203.0.113.10")), "1 to 128 characters"),
        (request(Node("a", None)), "node 'a' has no value"),
        (request(Node("a", "2001:db8::1")), "no IPv4 address"),
        (request(Node("a", "node.example.com")), "no IPv4 address"),
        (request(Node("a", "203.0.113.10"), type="AAAA"), "no IPv6 address"),
        (request(node("a", weight=1)), "means nothing with policy multivalue"),
        (request(node("a", weight=256), policy="weighted"), "outside 0..255"),
        (request(node("a"), ttl=-1), "TTL of -1 s"),
        (request(Node("a", "b.example.com"), type="CNAME"), "no multivalue answers for CNAME"),
    ],
)
def test_nonsense_is_refused(desired: DesiredRecord, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        check(desired)


PUBLIC = {"Id": "/hostedzone/Z1", "Name": "example.com.", "Config": {"PrivateZone": False}}
PRIVATE = {"Id": "/hostedzone/Z2", "Name": "example.com.", "Config": {"PrivateZone": True}}
OTHER = {"Id": "/hostedzone/Z3", "Name": "example.net.", "Config": {"PrivateZone": False}}


@pytest.mark.parametrize(
    ("zones", "private", "chosen"),
    [
        ([PUBLIC, OTHER], None, "Z1"),
        ([PRIVATE, OTHER], None, "Z2"),
        ([PUBLIC, PRIVATE], True, "Z2"),
        ([PUBLIC, PRIVATE], False, "Z1"),
    ],
)
def test_one_zone(zones: list[dict[str, Any]], private: bool | None, chosen: str) -> None:
    assert choose_zone(zones, "Example.com", private) == chosen


@pytest.mark.parametrize(
    ("zones", "private", "message"),
    [
        ([OTHER], None, "there is no hosted zone example.com. in this account;"),
        ([PUBLIC], True, r"there is no private hosted zone example.com. .*Z1 \(public\)"),
        ([PUBLIC, PRIVATE], None, r"2 hosted zones .*: Z1 \(public\), Z2 \(private\); hosted_zone_id or private_zone"),
        ([PUBLIC, PUBLIC | {"Id": "/hostedzone/Z4"}], False, r"2 public hosted zones .*Z4 \(public\)"),
    ],
)
def test_no_zone_or_several(zones: list[dict[str, Any]], private: bool | None, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        choose_zone(zones, "example.com", private)


def test_a_name_outside_the_zone() -> None:
    refuse_foreign_name(request(), "example.com")
    with pytest.raises(Refusal, match=r"A shop.example.com. does not belong into the hosted zone example.org."):
        refuse_foreign_name(request(), "Example.org")


class Pages:
    """A zone in the order of Route 53, a few record sets a page."""

    def __init__(self, *record_sets: dict[str, Any], size: int = 2) -> None:
        self.all, self.size = record_sets, size
        self.starts: list[Mapping[str, str]] = []

    def __call__(self, start: Mapping[str, str]) -> tuple[list[dict[str, Any]], Mapping[str, str] | None]:
        self.starts.append(start)
        first = int(start.get("StartRecordIdentifier", 0))
        rest = first + self.size < len(self.all)
        following = {"StartRecordIdentifier": str(first + self.size)} if rest else None
        return list(self.all[first : first + self.size]), following


def test_reading_begins_at_the_name_and_stops_when_past_it() -> None:
    mine = [multi(name) for name in "abc"]
    later = [multi("x", Name=f"z{n}.example.com.") for n in range(50)]
    pages = Pages(*mine, *later)
    assert group(pages, "Shop.example.com", "A") == mine
    assert pages.starts == [{"StartRecordName": NAME, "StartRecordType": "A"}, {"StartRecordIdentifier": "2"}]
    past = Pages(*(multi("a", Type="AAAA") for _number in range(9)))
    assert (group(past, "shop.example.com", "A"), len(past.starts)) == ([], 1), "past the type is past it"
    assert group(Pages(), "shop.example.com", "A") == []
    last = Pages(*mine[:2])
    assert group(last, "shop.example.com", "A") == mine[:2]
    assert len(last.starts) == 1


def refusal(code: str = "InvalidChangeBatch") -> AwsError:
    return AwsError("Failed to change", ClientError({"Error": {"Code": code, "Message": "no"}}, "Change"))


class Zone:
    """``refusals``: what becomes of each write, None: carried out. ``meanwhile``: what others do before a re-read."""

    def __init__(self, refusals: list[AwsError | None], *observed: list[dict[str, Any]]) -> None:
        self.refusals, self.observed = refusals, list(observed)
        self.reads, self.writes = 0, 0

    def decide(self) -> Batch:
        self.reads += 1
        return Batch((plan(request(node("a"), node("b", 11)), self.observed[min(self.reads, len(self.observed)) - 1]),))

    def write(self, _batch: Batch) -> Mapping[str, Any]:
        self.writes += 1
        refused = self.refusals[self.writes - 1]
        if refused:
            raise refused
        return {"Id": "/change/C1", "Status": "PENDING"}

    def run(self) -> tuple[Plan, Mapping[str, Any] | None]:
        batch, change = converge(self.decide, self.write, "InvalidChangeBatch")
        return batch.plans[0], change


def test_one_read_and_one_write() -> None:
    zone = Zone([None], [])
    chosen, change = zone.run()
    assert (len(chosen.changes), change and change["Id"], zone.reads, zone.writes) == (2, "/change/C1", 1, 1)


def test_true_already_is_one_read() -> None:
    zone = Zone([], [multi("a"), multi("b", 11)])
    chosen, change = zone.run()
    assert (chosen.changes, change, zone.reads, zone.writes) == ((), None, 1, 0)


def test_another_job_was_quicker() -> None:
    zone = Zone([refusal(), None], [], [multi("a")])
    chosen, change = zone.run()
    assert (steps(chosen), bool(change), zone.reads, zone.writes) == ([("CREATE", "b")], True, 2, 2)


def test_a_lost_answer_is_no_failure() -> None:
    """The batch was carried out, its repetition refused: what was wanted is true, and this task did change it."""
    zone = Zone([refusal()], [], [multi("a"), multi("b", 11)])
    chosen, change = zone.run()
    assert (len(chosen.changes), change, zone.writes) == (2, None, 1)
    assert (chosen.before, [item["SetIdentifier"] for item in chosen.after]) == ((), ["a", "b"])


@pytest.mark.parametrize(
    ("zone", "code", "writes"),
    [
        pytest.param(Zone([refusal()], []), "InvalidChangeBatch", 1, id="nothing else changed: another reason"),
        pytest.param(Zone([refusal("AccessDenied")], []), "AccessDenied", 1, id="another error"),
        pytest.param(Zone([refusal()] * 3, [], [multi("a")], [multi("b", 11)]), "InvalidChangeBatch", 3, id="bounded"),
    ],
)
def test_a_refusal_that_stays(zone: Zone, code: str, writes: int) -> None:
    with pytest.raises(AwsError) as refused:
        zone.run()
    assert (refused.value.code, zone.writes) == (code, writes)


def test_waiting_is_bounded() -> None:
    answers = iter(["PENDING", "PENDING", "INSYNC"])
    assert wait(lambda: next(answers), 300, sleep=lambda _seconds: None) == "INSYNC"
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert wait(lambda: "PENDING", 60, clock=lambda: now[0], sleep=sleep) == "PENDING"
    assert now[0] == pytest.approx(60)
