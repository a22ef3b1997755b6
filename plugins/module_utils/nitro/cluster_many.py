# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Several nodes of a cluster in one call, one after another, because a cluster takes or loses one node at a time.

Every node is planned on the CLIP's state when its turn comes, not on its state before the previous node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from ..core.nitro_errors import NitroError
from ..core.nitro_wire import parse_address
from .client import NitroClient
from .cluster import DesiredMember, Member, members_of, no_member
from .cluster_work import Membership, clients
from .ha import same_address
from .one_or_many import naming

Warn = Callable[[str], None]


@dataclass
class ClusterRun:
    """One task for several nodes. ``params``: the module's options; ``check``: check mode, nothing is written."""

    params: Mapping[str, Any]
    check: bool
    warn: Warn
    sessions: ExitStack
    results: list[dict[str, Any]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    cleaned_up: bool = False
    cluster: dict[str, Any] | None = None
    clip: NitroClient | None = None

    # ------------------------------------------------------------------ the job

    def run(self) -> dict[str, Any]:
        """Return the module's result; with ``msg`` if a node failed, after which no other node was tried."""
        for params in self.params_of_nodes():
            DesiredMember.from_params(params)  # what cannot be right is refused before the first write
        failure = self._failure_of(self._present if self.params["state"] == "present" else self._absent)
        return self._result(failure)

    def _failure_of(self, job: Callable[[], None]) -> NitroError | None:
        try:
            job()
        except NitroError as error:
            return error
        return None

    def _present(self) -> None:
        self._remove_orphans()
        for params in self._with_drains_begun():
            self._converge(params)
            self._remove_orphans()

    def _absent(self) -> None:
        for params in self._with_drains_begun():
            self._converge(params)

    def _with_drains_begun(self) -> Iterator[dict[str, Any]]:
        """Yield the nodes in order; where several drain, start all drains before waiting for the first."""
        nodes = list(self.params_of_nodes())
        drains = [params for params in nodes if params["wait"] and _drains(params)]
        if len(drains) > 1 and not self.check:
            for params in drains:
                self._converge({**params, "wait": False})
        yield from nodes

    # ------------------------------------------------------------------ one node

    def params_of_nodes(self) -> Iterator[dict[str, Any]]:
        """Return the options of each node; only the first forms a cluster."""
        for number, entry in enumerate(self.params["nodes"]):
            given = {key: value for key, value in entry.items() if value is not None}
            form = self.params["form"] and number == 0
            yield {**self.params, "nodes": None, "nitro_auth_token": None, "form": form, **given}

    def _converge(self, params: Mapping[str, Any]) -> None:
        """Converge one node and keep what came of it. Raises NitroError."""
        result = self._result_of(params["nsip"])
        membership = self._membership(params)
        try:
            done = membership.predict() if self.check else membership.converge()
        except NitroError as error:
            result |= {"error": str(error), "changed": result["changed"] or bool(membership.done)}
            raise NitroError(naming(params["nsip"], str(error)), code=error.code) from None
        finally:
            membership.node.close()
        self.cluster = done["cluster"]
        result |= {
            "changed": result["changed"] or done["changed"],
            "node_id": done["node"]["node_id"],
            "node": done["node"],
            "diff": _together(result["diff"], done["diff"]),
            "error": None,
        }

    def _result_of(self, nsip: str) -> dict[str, Any]:
        for result in self.results:
            if result["nsip"] == nsip:
                return result
        node = no_member(parse_address(nsip)[0])
        self.results.append(
            {"nsip": nsip, "changed": False, "node_id": None, "node": node, "diff": None, "error": None}
        )
        return self.results[-1]

    def _membership(self, params: Mapping[str, Any], desired: DesiredMember | None = None) -> Membership:
        """Return a membership in the session with the CLIP that all share; the node's own is closed after its turn."""
        node, clip = clients(params)
        if self.clip is None:
            self.clip = self.sessions.enter_context(clip)
        password = params["cluster_password"] or params["nitro_pass"]
        return Membership(
            desired or DesiredMember.from_params(params), node, self.clip, password, params["wait_timeout"], self.warn
        )

    # ------------------------------------------------------------------ members without an instance

    def _remove_orphans(self) -> None:
        """Once, as soon as the cluster answers: remove the members that the task does not name and that are down."""
        if self.cleaned_up or not self.params["purge_nodes"]:
            return
        params = next(self.params_of_nodes(), None)
        if params is None:
            return
        self._membership(params)
        try:
            members = members_of(self.clip.get("clusternode")) if self.clip else ()
        except NitroError:
            if self.clip:
                self.clip.forget_session()
            return  # no answer at the CLIP yet: read again once the first node is in the cluster
        self.cleaned_up = bool(members)
        for member in unnamed(members, self._known()):
            self._remove(params, member)

    def _known(self) -> list[str]:
        named = [entry["nsip"] for entry in self.params["nodes"]]
        return [parse_address(nsip)[0] for nsip in (*named, *(self.params["known_nodes"] or ()))]

    def _remove(self, params: Mapping[str, Any], member: Member) -> None:
        """Remove a member that is down: its instance is gone in the caller's eyes, and its peers do not hear it."""
        port = parse_address(params["nsip"])[1]
        gone = {
            **params,
            "nsip": f"{member.address}:{port}" if port else member.address,
            "node_id": None,
            "backplane": None,
            "backplane_mac": None,
            "state": "absent",
            "dissolve": True,  # its peers do without it already, so it is no member that could be missed
            "wait": True,
            "drain_minutes": 0,
        }
        membership = self._membership(gone)
        try:
            membership.observation() if self.check else membership.read()
            observed = membership.member()
            if membership.view.node is not None or (observed is not None and observed.up):
                self.warn(
                    f"{member.address}: is node {member.node_id} of the cluster and up, although the task does not "
                    "name it; it was not removed. Remove it with state=absent, or name it in known_nodes"
                )
                return
            if not self.check:
                membership.converge()
            self.removed.append(member.address)
        finally:
            membership.node.close()

    # ------------------------------------------------------------------ what it says

    def _result(self, failure: NitroError | None) -> dict[str, Any]:
        nodes, diffs = [], []
        tried = {result["nsip"] for result in self.results}
        for params in self.params_of_nodes():
            result = dict(self._result_of(params["nsip"]))
            diff = result.pop("diff")
            if failure is not None and params["nsip"] not in tried:
                result["error"] = "not tried, because a node before it failed"
            if diff:
                diffs.append({"before_header": params["nsip"], "after_header": params["nsip"], **diff})
            nodes.append(result)
        answer = {
            "changed": bool(self.removed) or any(node["changed"] for node in nodes),
            "nodes": nodes,
            "removed": self.removed,
            "cluster": self.cluster or {"id": None, "clip": self.params["clip"], "nodes": []},
            "diff": diffs,
        }
        if failure is None:
            return answer
        code = {"nitro_errorcode": failure.code} if failure.code else {}
        return {**answer, "msg": str(failure), **code}


def unnamed(members: Sequence[Member], known: Sequence[str]) -> list[Member]:
    """Return the members at none of the known addresses."""
    return [member for member in members if not any(same_address(member.address, address) for address in known)]


def _drains(params: Mapping[str, Any]) -> bool:
    """Whether the node has connections to drain, so that its wait takes minutes."""
    leaves = params["state"] == "absent" or params["admin_state"] == "PASSIVE"
    return bool(leaves and params["drain_minutes"])


def _together(before: dict[str, Any] | None, diff: dict[str, Any]) -> dict[str, Any]:
    """Return the difference of two passes over a node as one."""
    if before is None:
        return diff
    writes = [*before["after"]["writes"], *diff["after"]["writes"]]
    return {"before": before["before"], "after": {**diff["after"], "writes": writes}}


def many(params: Mapping[str, Any], *, check: bool, warn: Warn) -> dict[str, Any]:
    """Handle ``nodes``; check mode writes nothing and waits for nothing."""
    with ExitStack() as sessions:
        return ClusterRun(params, check, warn, sessions).run()
