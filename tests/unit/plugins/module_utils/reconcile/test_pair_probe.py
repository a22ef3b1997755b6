"""Asking a pair: nodes that answer, hang, refuse, come late or change their role, in hundredths of seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroAuthError,
    NitroError,
    NitroUnreachable,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_claims import Claim, Verdict, claim_result
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pair_probe import Panel, ProbeTimeouts, Target

A, B = "10.0.1.10", "10.0.2.10"
NAMES = {A: "node 0", B: "node 1"}
TIMEOUTS = ProbeTimeouts(probe=0.3, answer=1.0, settle=0.0)


@dataclass
class Appliance:
    """A node: the role it claims at its n-th look, and what it does at which call."""

    nsip: str
    role: Callable[[int], str]
    trouble: dict[str, Callable[[], None]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    observations: int = 0
    connection: Connection = Connection("unset", password="secret")  # noqa: RUF009 - frozen

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if what in self.trouble:
            self.trouble[what]()

    def login(self) -> None:
        self._call("login")

    def get(self, resource: str) -> list[dict[str, Any]]:
        self._call(resource)
        if resource == "hanode":
            self.observations += 1
            other = B if self.nsip == A else A
            role = self.role(self.observations)
            opposite = "Secondary" if role == "Primary" else "Primary"
            return [
                {"id": str(number), "ipaddress": at, "state": state, "hastatus": "UP", "hasync": "SUCCESS"}
                for number, (at, state) in enumerate(((self.nsip, role), (other, opposite)))
            ]
        return [{"name": "v", "ipv46": "10.0.11.10", "ipset": "s"}] if resource == "lbvserver" else []

    def get_bulk(self, resource: str) -> list[dict[str, Any]]:
        self._call(resource)
        return [{"name": "s", "ipaddress": "10.0.12.10"}]

    def attempt(self, timeout: float) -> None:
        if {hang, unreachable} & set(self.trouble.values()):
            threading.Event().wait(timeout / 10)
            raise NitroUnreachable("no answer to a login")

    def close(self) -> None:
        self._call("logout")


def always(role: str) -> Callable[[int], str]:
    return lambda _observe: role


def hang() -> None:
    threading.Event().wait(30)


def unreachable() -> None:
    raise NitroUnreachable("no route")


def wrong_password() -> None:
    raise NitroAuthError("354 Invalid username or password", code=354)


def ask(
    *appliances: Appliance, timeouts: ProbeTimeouts = TIMEOUTS, idle: str | None = None
) -> tuple[list[Claim], Verdict]:
    """``idle``: why the last of them is not to be asked."""
    by_endpoint = {f"{appliance.nsip}:9443": cast(NitroClient, appliance) for appliance in appliances}
    targets = [Target(NAMES[a.nsip], a.nsip, f"{a.nsip}:9443") for a in appliances]
    if idle:
        targets[-1] = replace(targets[-1], idle=idle)
    with Panel(targets, by_endpoint.__getitem__, timeouts) as panel:
        return panel.decide()


def test_a_healthy_pair() -> None:
    nodes = Appliance(A, always("Primary")), Appliance(B, always("Secondary"))
    claims, verdict = ask(*nodes)
    assert (verdict.primary, verdict.healthy) == (0, True)
    assert [claim.served for claim in claims] == [("10.0.11.10", "10.0.12.10")] * 2
    for node in nodes:
        assert node.calls[:2] == ["login", "hanode"]
        assert {"lbvserver", "csvserver", "ipset_nsip_binding"} <= set(node.calls[2:])
        assert node.calls[-1] == "logout"
        assert node.calls.count("login") == 1


@pytest.mark.parametrize("stage", ["login", "hanode"])
def test_a_node_that_hangs_costs_its_probe_and_no_more(stage: str) -> None:
    nodes = Appliance(A, always("Primary")), Appliance(B, always("Secondary"), {stage: hang})
    began = time.monotonic()
    claims, verdict = ask(*nodes)
    assert 0.3 <= time.monotonic() - began < 1.5
    assert verdict.primary == 0
    assert not claims[1].reachable
    assert f"({B}) does not answer ({B}:9443: no answer within 0.3 s)" in verdict.message


def test_a_configuration_that_does_not_come_leaves_the_claim() -> None:
    nodes = Appliance(A, always("Primary")), Appliance(B, always("Secondary"), {"csvserver": hang})
    claims, verdict = ask(*nodes, timeouts=ProbeTimeouts(0.1, 0.3, 0))
    assert verdict.primary == 0
    assert (claims[1].state, claims[1].served) == ("Secondary", None)
    assert claim_result(claims[1], claims[:1])["error"] == "what it serves was not read in time"


@pytest.mark.parametrize(
    ("trouble", "reachable", "message"), [(unreachable, False, "no route"), (wrong_password, True, "354")]
)
def test_a_node_that_refuses(trouble: Callable[[], None], reachable: bool, message: str) -> None:
    nodes = Appliance(A, always("Primary")), Appliance(B, always("Secondary"), {"login": trouble})
    claims, verdict = ask(*nodes)
    assert verdict.primary == 0
    assert (claims[1].reachable, claims[1].state) == (reachable, None)
    assert message in (claims[1].error or "")


def test_part_of_the_configuration_is_better_than_none() -> None:
    def broken() -> None:
        raise NitroError("csvserver: 1067")

    claims, _ignored = ask(Appliance(A, always("Primary"), {"csvserver": broken}), Appliance(B, always("Secondary")))
    assert claims[0].served == ("10.0.11.10", "10.0.12.10")
    assert claims[0].error == "csvserver: 1067"


def test_it_waits_until_a_node_has_found_out() -> None:
    """The primary died; the secondary notices at its third look."""
    late = Appliance(B, lambda observation: "Primary" if observation >= 3 else "Secondary")
    claims, verdict = ask(
        Appliance(A, always("Primary"), {"login": unreachable}), late, timeouts=ProbeTimeouts(0.3, 1.0, 5.0)
    )
    assert verdict.primary == 1
    assert late.calls.count("login") == late.calls.count("lbvserver") == 1
    assert claims[1].served, "what was read once is kept"


def test_it_waits_for_one_primary_only_as_long_as_told() -> None:
    both = Appliance(A, always("Primary")), Appliance(B, always("Primary"))
    began = time.monotonic()
    _ignored, verdict = ask(*both, timeouts=ProbeTimeouts(0.3, 1.0, 0.4))
    assert 0.4 <= time.monotonic() - began < 1.5
    assert verdict.primary is None
    assert "2 nodes claim to be primary" in verdict.message


def test_a_node_that_does_not_run_is_not_asked() -> None:
    nodes = Appliance(A, always("Primary")), Appliance(B, always("Secondary"))
    claims, verdict = ask(*nodes, idle="instance i-1 is stopped")
    assert nodes[1].calls == []
    assert verdict.primary == 0
    assert claims[1].error == "instance i-1 is stopped"
    alone, unknown = ask(
        Appliance(A, always("Primary")), idle="instance i-1 is stopped", timeouts=ProbeTimeouts(0.3, 1.0, 30.0)
    )
    assert unknown.primary is None, "and where none runs nothing is waited for"
    assert not alone[0].reachable


def test_a_session_that_was_given_is_used() -> None:
    node = Appliance(A, always("Primary"), connection=Connection(A, token="##1"))
    ask(node, Appliance(B, always("Secondary")))
    assert "login" not in node.calls
