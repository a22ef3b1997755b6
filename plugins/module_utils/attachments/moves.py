# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Entries of the option ``moves``, of one kind or of several: all kinds are read, and all are written, side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws.client import Client
from ..core.errors import Failure, Refusal
from ..core.parallel import attempt_all, gather
from .base import Attachment, Change
from .registry import REGISTRY


@dataclass(slots=True)
class Part:
    """The entries of one kind: what was planned, and what became of it."""

    entry: Attachment[Any, Any, Any, Any]
    desired: Sequence[Any]
    changes: list[Any] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)

    def results(self) -> list[dict[str, Any]]:
        """Return where each thing was first and is now, with its kind."""
        return [{"kind": self.entry.kind, **one} for one in self.entry.results(self.changes, self.outcomes)]


@dataclass(slots=True)
class Moves:
    """Things of any kinds that go to interfaces. Nothing is written before all kinds were planned without a refusal."""

    client: Client
    parts: Sequence[Part]

    @classmethod
    def of(cls, client: Client, entries: Sequence[Mapping[str, Any]]) -> Moves:
        """Parse entries, each with its ``kind``. Raises Refusal for one that names no target, or options of others."""
        by_kind: dict[str, list[Any]] = {}
        for options in entries:
            given = {name: value for name, value in options.items() if value is not None and name != "kind"}
            entry = REGISTRY[options["kind"]]
            if foreign := sorted(set(given) - set(entry.options)):
                raise Refusal(f"an entry of kind {entry.kind} takes no {', '.join(foreign)}; nothing was moved")
            by_kind.setdefault(entry.kind, []).append(entry.desired(given))
        return cls(client, [Part(REGISTRY[kind], desired) for kind, desired in by_kind.items()])

    @property
    def changes(self) -> list[Change]:
        """Every change of the plan, kind by kind."""
        return [change for part in self.parts for change in part.changes]

    def plan(self, expected_owners: Collection[str] | None = None, displace: bool = False) -> None:
        """Read everything in one round trip and plan it (see :meth:`Attachment.plan`).

        Raises:
            Failure: AWS refused a reading, or some thing may not be moved; the message names each. Nothing was written.
        """
        observed = gather([functools.partial(part.entry.observe, self.client, part.desired) for part in self.parts])
        problems = []
        for part, reading in zip(self.parts, observed, strict=True):
            try:
                part.changes = part.entry.plan(part.desired, reading, expected_owners, displace)
            except Refusal as refusal:
                problems.append(str(refusal))
        if problems:
            raise Refusal("; ".join(problems))

    def move(self, verify_timeout: float | None, permit: Callable[[Any], str | None] = lambda _change: None) -> None:
        """Write all changes of all kinds at once, and look until AWS agrees (see :meth:`Attachment.move`).

        Raises:
            Failure: of one kind, after every other kind was moved.
        """
        made = attempt_all([functools.partial(self._move, part, verify_timeout, permit) for part in self.parts])
        for failed in made:
            if isinstance(failed, Failure):
                raise failed

    def _move(self, part: Part, verify_timeout: float | None, permit: Callable[[Any], str | None]) -> None:
        part.outcomes = part.entry.move(self.client, part.changes, verify_timeout, permit=permit)

    def trouble(self) -> str | None:
        """Return the message about everything that is not where it was sent; None: everything arrived."""
        found = [message for part in self.parts if (message := part.entry.verify(part.outcomes))]
        return "; ".join(found) or None

    def results(self) -> list[dict[str, Any]]:
        """Return one entry for each thing, those of a kind together, in the order in which they were asked for."""
        return [entry for part in self.parts for entry in part.results()]

    def difference(self) -> dict[str, Any]:
        """Return the diff of a module: each thing, and where it was and is."""
        found = [(part.entry.label(one), one) for part in self.parts for one in part.results()]
        return {side: {label: one[side] for label, one in found} for side in ("before", "after")}
