# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The contract of attachments: what follows the primary of a pair, and how it is moved.

An attachment is one file with a subclass of :class:`Attachment` and one line in ``registry.py``. An Elastic IP is one;
a private address that moves from interface to interface, and a route whose target is an interface, are others. Each is
a thing with an identity (``key``) that has one holder at a time and is given to another by one call.

The order is always the same: ``desired`` (what was asked for, without AWS), ``observe`` (one reading), ``plan`` (pure),
``move`` (write, look at it, judge again before anything is repeated), ``verify`` (what is not where it belongs).
"""

from __future__ import annotations

import enum
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from ..core.waiting import Clock, Sleep


class Verification(enum.Enum):
    """What a look at a thing after its move shows."""

    ARRIVED = "it is where it was sent"
    PENDING = "it is still where it was, or nowhere: AWS has not caught up yet"
    TAKEN = "it is at a third place: another writer moved it"


class Change(Protocol):
    """One thing, its holder, and the holder it gets. ``changed`` is False if it has it already."""

    @property
    def key(self) -> str:
        """What identifies the thing in AWS."""

    @property
    def changed(self) -> bool:
        """Whether the holder differs from the desired one."""

    @property
    def after(self) -> Any:
        """The holder that it gets."""

    def result(self, after: Any, changed: bool) -> dict[str, Any]:
        """Return the entry of a module's result: ``before``, ``after``, ``changed`` and what identifies the thing."""


S_contra = TypeVar("S_contra", contravariant=True)


class Movable(Change, Protocol[S_contra]):
    """A change as ``changes`` executes it; S_contra is a reading of the thing. Holders are compared by equality."""

    @property
    def name(self) -> str:
        """What messages call the thing."""

    @property
    def before(self) -> Hashable:
        """The holder at the start; None: none."""

    def holder(self, observed: S_contra) -> Hashable:
        """Return the holder by a reading."""

    def judge(self, observed: S_contra) -> Verification:
        """Compare a reading with this change."""

    def place(self, holder: Any) -> str:
        """Return where a thing with this holder is: "at eni-1 (10.0.1.10)", "associated with nothing"."""


D = TypeVar("D")
O = TypeVar("O")  # noqa: E741
C = TypeVar("C", bound=Change)
R = TypeVar("R")


class Attachment(ABC, Generic[D, O, C, R]):
    """One kind of thing that follows the primary: D desired, O observed, C a change, R the outcome of a change.

    ``kind``: its name in option ``moves``. ``options``: suboptions of an entry of ``moves``, in the form of an argument
    spec.
    """

    kind: ClassVar[str]
    options: ClassVar[Mapping[str, Mapping[str, Any]]]

    @abstractmethod
    def desired(self, options: Mapping[str, Any]) -> D:
        """Return what an entry of ``moves`` asks for. Raises Refusal if it names no target."""

    @abstractmethod
    def observe(self, client: Any, desired: Sequence[D]) -> O:
        """Read everything that a plan needs, in one round trip. Raises Failure."""

    @abstractmethod
    def plan(
        self,
        desired: Sequence[D],
        observed: O,
        expected_owners: Collection[str] | None = None,
        displace: bool = False,
    ) -> list[C]:
        """Return one change for each thing, in the order of the entries. Raises Refusal that names every object.

        An entry is one thing; an entry of kind route is one in each of its route tables.

        Args:
            desired: what was asked for.
            observed: what AWS has.
            expected_owners: interfaces that may lose what they hold; None: any may.
            displace: another thing that is at a target may lose its place.
        """

    @abstractmethod
    def move(
        self,
        client: Any,
        changes: Sequence[C],
        verify_timeout: float | None,
        *,
        permit: Callable[[C], str | None],
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> list[R]:
        """Write every change that is due, side by side, and look until AWS agrees.

        Args:
            client: of EC2.
            changes: what :meth:`plan` returned.
            verify_timeout: seconds to look; None returns at once unless an answer was lost.
            permit: asked before a write is repeated: None, or why it is not right any more.
            clock: seconds.
            sleep: seconds.

        Returns:
            One outcome for each thing that had to move. A refusal of one keeps no other from being moved.
        """

    @abstractmethod
    def verify(self, outcomes: Sequence[R]) -> str | None:
        """Return None if everything arrived, otherwise one message that names every thing of the task."""

    @abstractmethod
    def results(self, changes: Sequence[C], outcomes: Sequence[R]) -> list[dict[str, Any]]:
        """Return where each thing was first and is now; before anything was written, where it will be."""

    @abstractmethod
    def label(self, entry: Mapping[str, Any]) -> str:
        """Return what identifies an entry of :meth:`results` among those of its kind, for the diff."""
