# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An upgrade of a pair in place: one step after the other, each of them after the pair was read and judged again."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..core.errors import Failure, Refusal
from ..core.nitro_errors import NitroError, NitroTimeout
from ..core.waiting import Clock, Sleep
from ..nitro import migrations
from ..nitro.arrival import reboot
from ..nitro.client import NitroClient
from ..nitro.software import Installation, read_running, set_exchange
from ..nitro.waiting import wait_until
from ..spec.builds import Build
from ..spec.upgrade import AUTO, NEVER, REQUIRE, url_secrets
from .pair_mover import Mover, mover, prepared_mover
from .planned_failover import refuse_unserved
from .switchover import OBSERVE_SECONDS, PRIMARY, hand_over, observation
from .trial import Trial, carry_out, missing_problem, read_virtual_servers
from .upgrade_plan import Due, Step, Target, described, migration_obstacles, next_step, outline, problems
from .upgrade_reading import UpgradeReader, UpgradeReading

#: Seconds for the synchronisation after both nodes have the build.
SYNC_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """What the user asks for. Times are seconds. ``return_url``: where the earlier build is, empty: not given."""

    group: str
    target: Target
    url: str
    return_url: str = ""
    issu: str = NEVER
    bake_time: float = 300.0
    serve_timeout: float = 60.0
    switch_timeout: float = 30.0
    install_timeout: float = 1800.0
    boot_timeout: float = 900.0
    migration_timeout: float = 3600.0
    ignore_missing: bool = False
    ignore_guard: bool = False


@dataclass(slots=True)
class InPlaceUpgrade:
    """One run. ``done``: what was done, one line each; ``warn`` takes what the user should know."""

    request: UpgradeRequest
    reader: UpgradeReader
    warn: Callable[[str], None]
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    done: list[str] = field(default_factory=list)
    tried: bool = False

    # -- what is due -------------------------------------------------------------------------------------------------

    def check(self, reading: UpgradeReading) -> list[str]:
        """Return what stands against the upgrade, one message each."""
        found = problems(reading.state, self.request.target)
        due = not found and self.outline(reading)
        if due and self.request.issu == REQUIRE and (obstacles := _obstacles(reading)):
            found.append(f"No ISSU migration is possible: {'; '.join(obstacles)}.")
        return found

    def outline(self, reading: UpgradeReading) -> list[str]:
        """Return the steps that are due, one line each."""
        nodes, build = reading.state.nodes, self.request.target.build
        return [described(due, nodes, build) for due in outline(nodes, reading.primary, build)]

    # -- the run -----------------------------------------------------------------------------------------------------

    def run(self) -> UpgradeReading:
        """Carry out every step that is due, and return the pair as it is then.

        Raises:
            Refusal: something stands against it. Nothing was changed.
            Failure: a step failed; the message says what the pair is now and what to do.
        """
        reading = self.reader.read()
        if found := self.check(reading):
            raise Refusal(f"{self.request.group}: {' '.join(found)} Nothing was changed.")
        if reading.state.begun and reading.state.misplaced:
            self._move(reading)
        return self._all_steps()

    def _all_steps(self) -> UpgradeReading:
        while True:
            reading = self.reader.read()
            due = next_step(reading.state.nodes, reading.primary, self.request.target.build, tried=self.tried)
            if due.step is Step.DONE:
                return reading
            self._carry_out(due, reading)
            self.done.append(described(due, reading.state.nodes, self.request.target.build))

    def _carry_out(self, due: Due, reading: UpgradeReading) -> None:
        match due.step:
            case Step.ISOLATE:
                self._set_exchange(reading, on=False)
            case Step.JOIN:
                self._set_exchange(reading, on=True)
            case Step.SAVE:
                self._save()
            case Step.INSTALL if due.node is not None:
                self._install(due.node, reading)
            case Step.REBOOT if due.node is not None:
                self._reboot(due.node, reading)
            case Step.TRY if due.node is not None:
                self._try(due.node, reading)

    # -- the steps ---------------------------------------------------------------------------------------------------

    def _clients(self, reading: UpgradeReading) -> list[NitroClient]:
        return [self.reader.client(node) for node in reading.observed.nodes]

    def _set_exchange(self, reading: UpgradeReading, *, on: bool) -> None:
        """Switch it on both nodes, the primary first: from then on nothing of one build gets to the other."""
        clients = self._clients(reading)
        for index in (reading.primary, 1 - reading.primary):
            set_exchange(clients[index], on=on)
            if not on:
                clients[index].save()  # a reboot follows

    def _save(self) -> None:
        def healthy() -> UpgradeReading | None:
            found = self.reader.read()
            last[0] = found.state.verdict.message
            return found if found.state.verdict.healthy else None

        last = ["nothing was asked"]
        reading = wait_until(healthy, SYNC_SECONDS, lambda: last[0], clock=self.clock, sleep=self.sleep)
        for client in self._clients(reading):
            client.save()

    def _install(self, index: int, reading: UpgradeReading) -> None:
        """Put the build on the disk of the secondary; it goes on as it was until its reboot."""
        clients, node = self._clients(reading), reading.state.nodes[index]
        if reading.state.nodes[1 - index].software.migrating or node.software.migrating:
            migrations.wait_until_completed(
                clients[1 - index], self.request.migration_timeout, clock=self.clock, sleep=self.sleep
            )
        secrets = url_secrets(self.request.url)
        build = self.request.target.build
        work = Installation(
            clients[index], self.request.url, build, self.request.install_timeout, secrets, self.clock, self.sleep
        )
        try:
            work.run(node.software.job)
        except Failure as error:
            raise Failure(f"{self.request.group}: {error}; {self._after_failed_install(reading)}") from None

    def _after_failed_install(self, reading: UpgradeReading) -> str:
        """Put a pair together again of which no node has another build yet, and say how it is."""
        if len({node.build for node in reading.state.nodes}) > 1:
            return "synchronisation stays off, because the nodes have different builds; run it again to go on"
        try:
            self._set_exchange(reading, on=True)
            self._save()
        except Failure as error:
            return f"nothing was rebooted, but synchronisation could not be switched on again: {error}"
        return "nothing was rebooted, and the pair synchronises again"

    def _reboot(self, index: int, reading: UpgradeReading) -> None:
        """Boot the secondary, which the reading before this step has shown to be one, into the build."""
        client, node, build = self._clients(reading)[index], reading.state.nodes[index], self.request.target.build
        other = reading.state.nodes[1 - index]
        try:
            reboot(client, self.request.boot_timeout, clock=self.clock, sleep=self.sleep, warm=False)
        except NitroError as error:
            raise Failure(
                f"{self.request.group}: {node} does not come back with {build}: {error}. {other} is primary and "
                "serves alone; synchronisation is off. Reboot the instance in EC2 and run it again, or replace it: "
                f"ha_pair_replace_node={node.instance_id}"
            ) from None
        found = read_running(client)
        if found != build:
            raise Failure(f"{self.request.group}: {node} came back with {found}, not {build}. {other} serves.")

    def _try(self, index: int, reading: UpgradeReading) -> None:
        """Make a node primary if it is not, watch it, and go back if it does not serve."""
        clients, nodes = self._clients(reading), reading.state.nodes
        node, switched = reading.observed.nodes[index], reading.primary != index
        new, old = read_virtual_servers(clients[index]), read_virtual_servers(clients[1 - index])
        move = self._mover(reading)
        if switched:
            if not self.request.ignore_missing and (problem := missing_problem(self.request.group, old, new)):
                left = f" {nodes[1 - index]} stays primary, and synchronisation is off."
                raise Refusal(problem.removesuffix(" Nothing was changed.") + left)
            targets = reading.known.targets(reading.observed.nodes, index)
            if not self.request.ignore_guard:
                refuse_unserved(self.request.group, node, reading.state.claims[index], targets)
            move = prepared_mover(reading.known, reading.observed, index, self.reader.ec2, clients[index], move)
        over, back_over = self._hand_over(reading) if switched else (hand_over, _return_over)
        trial = Trial(
            node=clients[index],
            peer=clients[1 - index],
            move=move,
            needed=(old.up | new.up) & new.names,
            switch_timeout=self.request.switch_timeout,
            serve_timeout=self.request.serve_timeout,
            bake_time=self.request.bake_time,
            over=over,
            back_over=back_over,
            clock=self.clock,
            sleep=self.sleep,
        )
        try:
            carry_out(trial, switched, f"{self.request.group}: {nodes[index]}")
        except Failure as error:
            raise Failure(f"{error}. {self._way_back(index, reading)}") from None
        self.tried = True

    def _hand_over(self, reading: UpgradeReading) -> tuple[Callable[..., None], Callable[..., None]]:
        """Return how the role is handed over and back: by an ISSU migration where it is asked for and possible."""
        begun = any(node.software.migrating for node in reading.state.nodes)
        if self.request.issu == NEVER and not begun:
            return hand_over, _return_over
        obstacles = _obstacles(reading)
        if begun or not obstacles:
            return functools.partial(_migrate, clock=self.clock, sleep=self.sleep), _return_over
        if self.request.issu == AUTO:
            self.warn(f"established connections end with the switch, because {'; '.join(obstacles)}")
            return hand_over, _return_over
        raise Refusal(f"{self.request.group}: no ISSU migration is possible: {'; '.join(obstacles)}.")

    def _mover(self, reading: UpgradeReading) -> Mover:
        return mover(self.reader.params, self.reader.ec2, reading.observed, self.reader.probe)

    def _move(self, reading: UpgradeReading) -> None:
        if trouble := self._mover(reading)():
            raise Failure(f"{self.request.group}: {trouble}")

    # -- the way back ------------------------------------------------------------------------------------------------

    def _way_back(self, index: int, reading: UpgradeReading) -> str:
        """After a failed trial: install the earlier build where its file is known, else say how to."""
        earlier = reading.state.nodes[1 - index].build
        node = reading.state.nodes[index]
        if earlier is None or earlier == node.build:
            return ""
        if not self.request.return_url:
            return (
                f"{node} keeps {node.build}, and synchronisation stays off. Run it again to try again, or install the "
                f"earlier build: ha_upgrade_build={earlier} with its ha_upgrade_url and ha_upgrade_allow_downgrade=true"
            )
        try:
            self._install_earlier(earlier, index)
        except Failure as error:
            return f"The earlier build {earlier} was not installed: {error}"
        return f"{node} has {earlier} again, and the pair synchronises"

    def _install_earlier(self, earlier: Build, index: int) -> None:
        now = self.reader.read()
        if now.primary == index:
            raise Refusal("the node is primary")
        back = replace(
            self.request, target=Target(earlier, downgrade=True, vulnerable=True), url=self.request.return_url
        )
        # The other node has served with that build all the time, so it is not tried.
        InPlaceUpgrade(back, self.reader, self.warn, self.clock, self.sleep, tried=True)._all_steps()


def _obstacles(reading: UpgradeReading) -> list[str]:
    return migration_obstacles(reading.state.nodes, reading.kinds)


def _migrate(this: NitroClient, other: NitroClient, timeout: float, *, clock: Clock, sleep: Sleep) -> None:
    """Begin an ISSU migration on ``other``, the upgraded secondary, and return as soon as it is primary."""
    migrations.start(other)
    _await_primary(other, timeout, clock, sleep)


def _return_over(this: NitroClient, other: NitroClient, timeout: float) -> None:
    """Hand the role back to the old primary: a migration in progress is rolled back, else a failover is forced."""
    if migrations.stop(this):
        _await_primary(other, timeout, time.monotonic, time.sleep)
    else:
        hand_over(this, other, timeout)


def _await_primary(client: NitroClient, timeout: float, clock: Clock, sleep: Sleep) -> None:
    def primary() -> bool:
        return observation(client).state == PRIMARY

    try:
        wait_until(
            primary,
            timeout,
            lambda: f"{client.connection.nsip} was to become primary by a migration",
            clock=clock,
            sleep=sleep,
            interval=OBSERVE_SECONDS,
        )
    except NitroTimeout as error:
        raise Failure(str(error)) from None
