# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Change the password of an account on appliances, whichever of two passwords each of them has now.

The new password is tried first, so that a run that was interrupted anywhere is completed by the next one. A refused
login counts at an appliance, which may lock the account: each look at a node costs at most two refused logins, and a
node that refuses both passwords is not asked again.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from ..core.nitro_errors import BAD_CREDENTIALS, NitroAuthError, NitroCut, NitroError, NitroTimeout
from ..core.parallel import attempt_all
from .client import NitroClient
from .ha import ObservedHa

#: Seconds between two looks at a node that has not taken over the new password; each look doubles it.
FIRST_PAUSE = 3.0
_LONGEST_PAUSE = 60.0


class Accepted(enum.Enum):
    """Which of the two passwords an appliance accepts."""

    NEW = "new"
    PRESENT = "present"


#: Makes a client for an appliance that tries the first password and then, if there is one, the other.
Connect: TypeAlias = "Callable[[str, str | None], NitroClient]"


@dataclass(frozen=True, slots=True)
class Account:
    """The account and its passwords. ``save``: whether the configuration is saved where the password is new."""

    user: str
    new: str = field(repr=False)
    present: str = field(repr=False)
    save: bool = True


@dataclass(slots=True)
class Rotation:
    """The account on one appliance: what was found, what was done.

    Attributes:
        nsip: the appliance in messages.
        found: the password that was accepted at first; None before a login was accepted.
        accepted: the password that was accepted last.
        primary: whether it reported that it is the primary of a pair.
        error: why it could not be completed.
    """

    nsip: str
    connect: Connect
    account: Account
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    found: Accepted | None = None
    accepted: Accepted | None = None
    primary: bool = False
    saved: bool = False
    error: NitroError | None = None
    _client: NitroClient | None = None

    @property
    def client(self) -> NitroClient:
        """The session of the last login. Raises NitroError without one."""
        if self._client is None:
            raise NitroError(f"{self.nsip}: there is no session")
        return self._client

    def close(self) -> None:
        """Log out."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def enter(self) -> None:
        """Log in with the new password, or else the present one. Raises NitroAuthError if both are refused."""
        self.close()
        other = self.account.present if self.account.present != self.account.new else None
        client = self.connect(self.account.new, other)
        try:
            client.login()
        except NitroError as error:
            client.close()
            if error.code in BAD_CREDENTIALS:
                raise _refused(error) from None
            raise
        self._client = client
        self.accepted = Accepted.PRESENT if client.other_password_accepted else Accepted.NEW
        self.found = self.found or self.accepted

    def enter_again(self) -> None:
        """Log in once more to a node that accepted a login before: it may take over the new password meanwhile.

        Both are refused where that happens between the two; then the new one is right a moment later.
        """
        try:
            self.enter()
        except NitroAuthError:
            self.sleep(FIRST_PAUSE)
            self._enter_with_new()

    def _enter_with_new(self) -> None:
        self.close()
        client = self.connect(self.account.new, None)
        try:
            client.login()
        except NitroError:
            client.close()
            raise
        self._client, self.accepted = client, Accepted.NEW

    def read_role(self) -> None:
        """Find out whether it is the primary of a pair."""
        me = ObservedHa.from_rows(self.client.get("hanode")).me
        self.primary = me is not None and me.is_a("Primary")

    def change(self) -> None:
        """Replace the present password and log in with the new one. A change whose answer got lost may be done."""
        if self.accepted is not Accepted.PRESENT:
            return
        lost: NitroCut | None = None
        try:
            self.client.update("systemuser", {"username": self.account.user, "password": self.account.new})
        except NitroCut as error:
            lost = error
        try:
            self._enter_with_new()
        except NitroAuthError as error:
            raise lost or error.and_also("it got the new password and refuses it") from None

    def keep(self) -> None:
        """Save the configuration where it differs from the saved one: also what an interrupted run left unsaved."""
        if self.account.save and self.unsaved():
            self.client.save()
            self.saved = True

    def unsaved(self) -> bool:
        return any(row.get("configchanged") is not False for row in self.client.get("nsconfig"))

    def follow(self, timeout: float) -> None:
        """Wait until a member of a cluster has the password of its cluster. Raises NitroTimeout.

        A member that missed the change is synchronised once from the coordinator.
        """
        self.enter()
        deadline, pause = self.clock() + timeout, FIRST_PAUSE
        if self.accepted is Accepted.PRESENT:
            self.client.act("clustersync", "Force")
        while self.accepted is Accepted.PRESENT:
            if self.clock() >= deadline:
                raise NitroTimeout(
                    f"{self.nsip}: still accepts the present password {timeout:g} s after its cluster has the new one: "
                    "look at its synchronisation (show cluster node), and run this again"
                )
            self.sleep(min(pause, max(0.0, deadline - self.clock())))
            pause = min(2 * pause, _LONGEST_PAUSE)
            self.enter_again()

    def work(self, *steps: Callable[[], None]) -> None:
        """Take the steps one after another; the first that fails ends it, and its error is kept."""
        try:
            for step in steps:
                step()
        except NitroError as error:
            self.error = error


def _refused(error: NitroError) -> NitroError:
    return error.and_also(
        "neither the new nor the present password was accepted. Nothing was changed on it, and no other login was "
        "tried, because an appliance may lock the account"
    )


def order(nodes: Sequence[Rotation]) -> list[Rotation]:
    """Return those that can be changed, the primary first: it hands its passwords on to the secondary."""
    entered = [node for node in nodes if node.error is None]
    return [node for node in entered if node.primary] + [node for node in entered if not node.primary]


def rotate_each(nodes: Sequence[Rotation], *, check: bool) -> None:
    """Change nodes that are independent of each other, side by side."""
    attempt_all([partial(_look if check else _change_one, node) for node in nodes])


def rotate_pair(nodes: Sequence[Rotation], *, check: bool) -> None:
    """Change both nodes of a pair: the primary first, whose secondary usually takes the change over by itself.

    A node that cannot be entered does not stop the other one: it synchronises, or the next run completes it.
    """
    attempt_all([partial(node.work, node.enter, node.read_role) for node in nodes])
    if check:
        return
    for number, node in enumerate(order(nodes)):
        again = () if number == 0 or node.accepted is Accepted.NEW else (node.enter_again,)
        node.work(*again, node.change, node.keep)


def rotate_cluster(clip: Rotation, members: Sequence[Rotation], timeout: float, *, check: bool) -> None:
    """Change a cluster at its address, from where it is propagated, and wait for each member to accept it."""
    (_look if check else _change_one)(clip)
    if clip.error is not None:
        for member in members:
            member.error = NitroError(f"{member.nsip}: not changed, because the cluster at {clip.nsip} was not")
        return
    attempt_all([partial(_look, each) if check else partial(_follow, each, timeout) for each in members])


def _look(node: Rotation) -> None:
    node.work(node.enter)


def _follow(member: Rotation, timeout: float) -> None:
    member.work(partial(member.follow, timeout))


def _change_one(node: Rotation) -> None:
    node.work(node.enter, node.change, node.keep)
