# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Changes to an appliance as data: a plan is a list of steps, made by pure functions and carried out here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from ..core.nitro_errors import NitroCut, NitroError, NitroInputError

T = TypeVar("T")
_ATTEMPTS = 3
#: "File already exists": the nodes of a pair copy files of certificates to each other once a minute.
FILE_EXISTS = 1642

Verb = Literal["add", "update", "unset", "bind", "act", "delete"]
Row = dict[str, Any]


class Reader(Protocol):
    """What reading needs of a NITRO client: a missing object and an empty list are both ``[]``."""

    def get(
        self,
        resource: str,
        name: str | None = None,
        *,
        args: Mapping[str, Any] | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Row]: ...


class Writer(Protocol):
    """What applying a plan needs of a NITRO client."""

    def add(self, resource: str, body: Mapping[str, Any]) -> object: ...

    def update(self, resource: str, body: Mapping[str, Any]) -> object: ...

    def unset(self, resource: str, body: Mapping[str, Any]) -> object: ...

    def act(self, resource: str, action: str, body: Mapping[str, Any] | None = None) -> object: ...

    def bind(self, resource: str, body: Mapping[str, Any]) -> object: ...

    def delete(self, resource: str, name: str | None = None, *, args: Mapping[str, Any] | None = None) -> object: ...


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``body`` may hold a private key, so it is in no representation of the step."""

    verb: Verb
    resource: str
    name: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    args: Mapping[str, Any] = field(default_factory=dict)
    action: str = ""

    @property
    def phrase(self) -> str:
        """What it does, in a few words: never more of the body than the first field, which is the object's name."""
        name = self.name or next(iter(self.body.values()), "")
        return " ".join(part for part in (self.action or self.verb, self.resource, str(name)) if part)


def apply(client: Writer, steps: Iterable[Change]) -> None:
    """Carry the steps out one after another; the first failure ends it, and a second run goes on from there.

    The failure then names what was done before it, which stays, and is not saved.
    """
    done: list[str] = []
    for step in steps:
        try:
            _carry_out(client, step)
        except NitroError as error:
            if not done:
                raise
            raise error.and_also(f"done before that, and not saved: {', '.join(done)}") from None
        done.append(step.phrase)


def _carry_out(client: Writer, step: Change) -> None:
    match step.verb:
        case "add":
            client.add(step.resource, step.body)
        case "update":
            client.update(step.resource, step.body)
        case "unset":
            client.unset(step.resource, step.body)
        case "bind":
            client.bind(step.resource, step.body)
        case "act":
            client.act(step.resource, step.action, step.body)
        case "delete":
            client.delete(step.resource, step.name, args=step.args or None)


class Session(Reader, Writer, Protocol):
    """Both, and the saving of what is running."""

    def save(self) -> object: ...


def carry_out(client: Session, steps: Sequence[Change], *, save: bool) -> bool:
    """Apply the steps and save the running configuration once, if that is asked; True when it was saved.

    It is saved without a step, too, when the appliance says that it runs something unsaved: a run that was killed
    between its last change and its save looks exactly so. One GET then, none when there are steps.
    """
    apply(client, steps)
    saving = save and (bool(steps) or unsaved(client))
    if saving:
        client.save()
    return saving


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """``steps``: the first plan; ``before`` and ``after``: what was read, the same when nothing was written."""

    steps: list[Change]
    before: T
    after: T
    saved: bool


def converge(
    client: Session, read: Callable[[], T], plan: Callable[[T], list[Change]], *, check: bool, save: bool
) -> Outcome[T]:
    """Read, plan, carry out, read back; in check mode only read and plan. ``save`` false: the caller saves.

    When a connection breaks during a write, it is unknown whether the write took effect, and a file can be made by the
    other node meanwhile. So the state is read and planned again, up to three times in total.
    """
    before = read()
    first = steps = plan(before)
    if check:
        return Outcome(first, before, before, False)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            saved = carry_out(client, steps, save=save)
            break
        except NitroError as error:
            if attempt == _ATTEMPTS or not (isinstance(error, NitroCut) or error.code == FILE_EXISTS):
                raise
        steps = plan(read())
    return Outcome(first, before, read() if first else before, saved)


def unsaved(client: Reader) -> bool:
    """Whether the configuration has changed since it was last saved (NITRO nsconfig, configchanged)."""
    return any(str(row.get("configchanged")).lower() in ("true", "yes") for row in client.get("nsconfig"))


def canonical(text: object) -> str:
    """Return an IP address in its one canonical text, so that two spellings of one address compare equal.

    Raises NitroInputError for anything that is not an IPv4 or IPv6 address.
    """
    try:
        return ipaddress.ip_address(str(text).strip()).compressed
    except ValueError:
        raise NitroInputError(f"'{text}' is not an IP address") from None


def canonical_or_none(text: object) -> str | None:
    """Return the same for an appliance's field in which ``*`` or a domain name may replace an address; None then."""
    try:
        return canonical(text)
    except NitroInputError:
        return None


def whole(value: object) -> int | None:
    """Parse a number of NITRO, which may be a string; None if it is missing or not a whole number."""
    try:
        return int(str(value).strip())
    except ValueError:
        return None


def text_of(row: Mapping[str, Any], key: str) -> str:
    """Return a field of a reply as text; empty if it is missing, because appliances leave out what is not set."""
    value = row.get(key)
    return "" if value is None else str(value)
