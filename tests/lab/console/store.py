"""What the console knows: devices, their profiles, data centres, agents, activities, and who is logged in."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from . import wire
from .wire import Row

# ADMREF has no figures for these two; what matters is that both exist.
MOST_SESSIONS = 20
IDLE_SECONDS = 1800.0
TOKEN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in: ``user`` on premises, ``client_id`` as an API client of the service's ``customer``."""

    user: str
    password: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    customer: str


def identity() -> str:
    return str(uuid.uuid4())


@dataclass(slots=True)
class Sessions:
    """Session ids and tokens that are good now, with the lab time at which they end."""

    ids: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)

    def open(self, now: float) -> str:
        self.ids = {one: ends for one, ends in self.ids.items() if ends > now}
        if len(self.ids) >= MOST_SESSIONS:
            raise wire.too_many_sessions()
        found = "##" + secrets.token_hex(32).upper()
        self.ids[found] = now + IDLE_SECONDS
        return found

    def use(self, sessionid: str, now: float) -> None:
        if self.ids.get(sessionid, 0.0) <= now:
            self.ids.pop(sessionid, None)
            raise wire.session_gone()
        self.ids[sessionid] = now + IDLE_SECONDS

    def close(self, sessionid: str) -> None:
        self.ids.pop(sessionid, None)

    def issue(self, now: float) -> str:
        found = secrets.token_urlsafe(48)
        self.tokens[found] = now + TOKEN_SECONDS
        return found

    def accept(self, token: str, now: float) -> None:
        if self.tokens.get(token, 0.0) <= now:
            raise wire.session_gone()


@dataclass(slots=True)
class Store:
    """``rows``: kind of resource → id → row, all values strings, as the console prints them."""

    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    activities: dict[str, list[Row]] = field(default_factory=dict)
    arriving: set[str] = field(default_factory=set)
    sessions: Sessions = field(default_factory=Sessions)

    def all(self, kind: str) -> list[Row]:
        return list(self.rows.get(kind, {}).values())

    def first(self, kind: str, **fields: str) -> Row | None:
        matching = (row for row in self.all(kind) if all(row.get(name) == value for name, value in fields.items()))
        return next(matching, None)

    def put(self, kind: str, row: Row) -> Row:
        stored = {"id": identity(), **row}
        self.rows.setdefault(kind, {})[stored["id"]] = stored
        return stored

    def drop(self, kind: str, ident: str) -> None:
        if self.rows.get(kind, {}).pop(ident, None) is None:
            raise wire.absent(kind, ident)

    def say(self, act_id: str, status: str, message: str, *, last: bool, now: float) -> None:
        """One more line in the log of an activity. ``is_last`` is a string (ADMTF and CFT compare it with "true")."""
        line = {"id": identity(), "act_id": act_id, "activity": "Add Device", "status": status, "message": message}
        line |= {"is_last": "true" if last else "false", "starttime": str(int(now)), "reboot_now": "false"}
        self.activities.setdefault(act_id, []).append(line)

    def state(self) -> dict[str, Any]:
        """For GET /lab/state: nothing in it is a secret."""
        kinds = {"devices": "managed_device", "datacenters": "mps_datacenter", "agents": "mps_agent"}
        return {
            **{name: self.all(kind) for name, kind in kinds.items()},
            "profiles": [row["name"] for row in self.all("ns_device_profile")],
            "arriving": sorted(self.arriving),
            "sessions": len(self.sessions.ids),
        }
