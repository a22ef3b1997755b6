# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Makes appliances the sides of an HA pair: one of them, or both in one call. What is decided is in ``ha``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ..core.nitro_errors import (
    FORCE_PASSWORD_CHANGE,
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroGarbled,
    NitroInputError,
    NitroUnreachable,
)
from ..core.nitro_wire import as_int, parse_address
from . import ha
from .client import NitroClient
from .module import client_from
from .one_or_many import naming
from .waiting import wait_until

_EXISTS = 273
# Looks, a second apart, after which a build that never says SUCCESS is believed, if no synchronisation failed between.
STABLE_READS = 3


class Pairing:
    """One run against one appliance: what was read, what is to be done."""

    def __init__(self, client: NitroClient, desired: ha.DesiredHa, params: Mapping[str, Any]) -> None:
        self.client = client
        self.desired = desired
        self.params = params
        self.view = ha.ObservedHa(None)
        self.before = self.view
        self.changes = ha.Plan()
        self.unsaved = False
        self.saved = False
        self.failures: int | None = None
        self.trouble: NitroError | None = None
        self.calm = 0

    def read(self) -> None:
        """Read what the appliance has, in three reads, and plan what is missing."""
        self.observation()
        rpc_nodes = self.client.get("nsrpcnode") if self.desired.rpc else []
        self.unsaved = self.read_unsaved()
        self.changes, self.before = ha.plan(self.desired, self.view, rpc_nodes), self.view

    def predict(self, warn: Callable[[str], None]) -> None:
        """As ``read``, for check mode: one that does not answer yet is taken for a stand-alone appliance."""
        try:
            self.read()
        except NitroError as error:
            if not (isinstance(error, NitroUnreachable) or error.code == FORCE_PASSWORD_CHANGE):
                raise
            warn(f"{error}. The result is what a stand-alone appliance would need.")
            self.changes = ha.plan(self.desired, self.view, [])

    def observation(self) -> None:
        self.view = ha.ObservedHa.from_rows(self.client.get("hanode"))

    def read_unsaved(self) -> bool:
        return any(row.get("configchanged") is True for row in self.client.get("nsconfig"))

    def apply(self) -> None:
        """Write what is missing and save it."""
        changes = self.changes
        for node_id in changes.remove:
            self.client.delete("hanode", node_id)
        if changes.add:
            self.add_peer(changes.add)
        if changes.tune:
            self.client.update("hanode", changes.tune)
        for address in changes.rpc:
            body = {"ipaddress": address, "password": self.params["rpc_password"], "secure": "YES"}
            self.client.update("nsrpcnode", body)
        self.save_if(not changes.empty or self.unsaved)

    def add_peer(self, body: Any) -> None:
        """Add the peer; an answer that got lost, or another run that was faster, is no failure if it is there now."""
        try:
            self.client.add("hanode", body)
        except NitroError as error:
            if not isinstance(error, NitroCut) and error.code != _EXISTS:
                raise ha.explained(error) from None
            self.observation()
            if self.view.peer(self.desired.peer) is None:
                raise

    def save_if(self, needed: bool) -> None:
        if needed and self.params["save_config"]:
            self.client.save()
            self.saved = True

    def wait(self, timeout: float) -> None:
        """Wait until the pair works, ``timeout`` seconds at most.

        The secondary takes over the primary's passwords, so a login that is refused meanwhile is tried again.
        """
        peer = self.desired.peer
        trouble = [""]

        def synchronised() -> bool:
            try:
                self.observation()
                ready = self.in_sync()
            except (NitroAuthError, NitroUnreachable, NitroGarbled) as error:
                trouble[0] = str(error)
                return False
            trouble[0] = ""
            return ready

        def last_state() -> str:
            state = trouble[0] or ha.describe(self.view, peer)
            return f"{self.client.connection.nsip}: the pair with {peer} did not come into sync: {state}"

        if not self.in_sync():
            wait_until(synchronised, timeout, last_state)
            # What came over from the primary is running, and would be lost with the next reboot if it is not saved.
            self.save_if(self.read_unsaved())

    def in_sync(self) -> bool:
        """Whether the last look shows a pair that works; failed synchronisations are counted only where needed."""
        if not ha.together(self.view, self.desired.peer):
            self.calm = 0
            return False
        if self.params.get("wait_for") == "paired":
            return True
        if ha.in_sync(self.view, self.desired.peer):
            return True
        rows = self.client.stat("hanode")
        failures = as_int(rows[0].get("haerrsyncfailure"), 0) if rows else 0
        self.calm = self.calm + 1 if failures == self.failures else 0
        self.failures = failures
        return ha.in_sync(self.view, self.desired.peer, calm=self.calm >= STABLE_READS)

    def outcome(self, *, check: bool) -> dict[str, Any]:
        """Return the module's result for this side."""
        saving = self.params["save_config"] and self.unsaved and (check or self.saved)
        return {
            "changed": not self.changes.empty or bool(saving) or self.saved,
            "ha": ha.summary(self.view, self.desired.peer),
            "diff": ha.diff(self.desired, self.before, self.changes),
        }


def one_side(params: Mapping[str, Any], *, check: bool, warn: Callable[[str], None]) -> dict[str, Any]:
    """Converge one appliance, or predict it in check mode; the module's result."""
    desired = ha.DesiredHa.from_params(params)
    with client_from(params, other_password=params["peer_password"]) as client:
        pairing = Pairing(client, desired, params)
        if check:
            pairing.predict(warn)
            return pairing.outcome(check=True)
        pairing.read()
        pairing.apply()
        if desired.present and params["wait"]:
            pairing.wait(params["wait_timeout"])
        elif not pairing.changes.empty:
            pairing.observation()
        return pairing.outcome(check=False)


def sides_of(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the options of both sides. Raises NitroInputError unless there are two; the default peer is the other."""
    nodes = params["nodes"]
    if len(nodes) != 2:
        raise NitroInputError(f"nodes must be the two appliances of a pair, not {len(nodes)}")
    hosts = [parse_address(node["nsip"])[0] for node in nodes]
    common = {**params, "nodes": None, "nitro_auth_token": None}
    return [{**common, "nsip": node["nsip"], "peer": node["peer"] or hosts[1 - n]} for n, node in enumerate(nodes)]


def both_sides(params: Mapping[str, Any], *, check: bool, warn: Callable[[str], None]) -> dict[str, Any]:
    """Converge both appliances in the order given, then wait until both see a pair in sync; with ``msg`` on failure.

    A side that fails ends the run: the other half of a pair is not made without it.
    """
    sides = sides_of(params)
    desired = [ha.DesiredHa.from_params(side) for side in sides]
    with ExitStack() as sessions:
        pairings = []
        for side, each in zip(sides, desired, strict=True):
            client = sessions.enter_context(client_from(side, other_password=side["peer_password"]))
            pairings.append(Pairing(client, each, side))
        _converge_both(pairings, check=check, warn=warn)
        return _joined(pairings, check=check)


def _converge_both(pairings: Sequence[Pairing], *, check: bool, warn: Callable[[str], None]) -> None:
    """Write both sides, then wait for both; the side that fails keeps its error, and nothing is done after it."""
    deadline = time.monotonic() + pairings[0].params["wait_timeout"]

    def write(pairing: Pairing) -> None:
        if check:
            pairing.predict(warn)
        else:
            pairing.read()
            pairing.apply()

    def finish(pairing: Pairing) -> None:
        if not check:
            _finish(pairing, deadline)

    for step in (write, finish):
        for pairing in pairings:
            try:
                step(pairing)
            except NitroError as error:
                pairing.trouble = error
                return


def _finish(pairing: Pairing, deadline: float) -> None:
    """Wait for the pair, or only look at it."""
    if pairing.desired.present and pairing.params["wait"] is not False:
        pairing.wait(max(0.0, deadline - time.monotonic()))
    elif not pairing.changes.empty:
        pairing.observation()


def _joined(pairings: Sequence[Pairing], *, check: bool) -> dict[str, Any]:
    nodes, diffs, failures = [], [], []
    for pairing in pairings:
        nsip, result = pairing.params["nsip"], pairing.outcome(check=check)
        diff, error = result.pop("diff"), pairing.trouble
        if error is None:
            diffs.append({"before_header": nsip, "after_header": nsip, **diff})
        else:
            result["changed"] = pairing.client.changed
            failures.append((nsip, error))
        nodes.append({"nsip": nsip, **result, "error": None if error is None else str(error)})
    answer: dict[str, Any] = {"changed": any(node["changed"] for node in nodes), "nodes": nodes, "diff": diffs}
    for nsip, error in failures:
        code = {"nitro_errorcode": error.code} if error.code else {}
        answer |= {"msg": naming(nsip, str(error)), **code}
    return answer
