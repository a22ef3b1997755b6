"""What the console says: its envelope, and the refusals it is known for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Headers = list[tuple[str, str]]
Row = dict[str, Any]
JSON = ("Content-Type", "application/json; charset=utf-8")
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}
REASONS |= {409: "Conflict", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Mapping[str, Any]

    def parts(self) -> tuple[str, Headers, bytes]:
        return f"{self.status} {REASONS[self.status]}", [JSON], json.dumps(self.body).encode()


class Refused(Exception):
    """``code``: 10020 is the console's own (ELO); the others are those of the appliances' list, whose framework it
    shares: the console's own numbers for these cases are documented nowhere.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def reply(self) -> Reply:
        return Reply(self.status, {"errorcode": self.code, "message": self.message, "severity": "ERROR"})


def too_many_sessions() -> Refused:
    return Refused(400, 10020, "Login failed. The user session count has exceeded the maximum limit.")


def wrong_credentials() -> Refused:
    return Refused(401, 354, "Invalid username or password")


def session_gone() -> Refused:
    return Refused(401, 444, "Session expired or killed. Please login again")


def not_logged_in() -> Refused:
    return Refused(401, 1027, "Not logged in or connection timed out")


def absent(kind: str, name: str) -> Refused:
    return Refused(404, 258, f"No such resource [{kind}, {name}]")


def exists(kind: str, name: str) -> Refused:
    return Refused(409, 273, f"Resource already exists [{kind}, {name}]")


def missing(name: str) -> Refused:
    return Refused(400, 1095, f"Required argument missing [{name}]")


def listed(kind: str, operation: str, rows: list[Row], username: str, total: int | None = None) -> Reply:
    """The envelope around a list (recorded: errorcode and message, then who asked for what, and how many there are)."""
    body: Row = {
        "errorcode": 0,
        "message": "Done",
        "operation": operation,
        "resourceType": kind,
        "username": username,
        "tenant_name": "Owner",
        "tenant_id": "1",
        "resrc_total_count": str(len(rows) if total is None else total),
        kind: rows,
        "severity": "NONE",
    }
    return Reply(200, body)
