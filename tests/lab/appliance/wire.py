"""The wire: how the vendor prints JSON, and how clients encode names and arguments in URLs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

Json = Any


def dumps(value: Json) -> str:
    """JSON as the appliance prints it: ``{ "a": 1, "b": [ "x" ] }``, and ``/`` escaped as ``\\/`` (recorded
    replies).
    """
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(str(key))}: {dumps(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{ }"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(dumps(item) for item in value)
        return f"[ {inner} ]" if inner else "[ ]"
    if isinstance(value, float):
        return f"{value:.6f}"
    return json.dumps(value).replace("/", "\\/")


def envelope(code: int = 0, message: str = "Done", severity: str = "NONE") -> dict[str, Json]:
    """The three keys every reply begins with, in their order."""
    return {"errorcode": code, "message": message, "severity": severity}


def decode(text: str) -> str:
    """A name out of a path: clients encode it once or twice."""
    return unquote(unquote(text))


def pairs(text: str) -> dict[str, str]:
    """``args=`` and ``filter=``: ``k:v,k2:v2``; values are encoded once more than the query string itself.

    A value may hold colons (IPv6) and, when a regular expression between slashes, commas.
    """
    out: dict[str, str] = {}
    last = ""
    for part in text.split(","):
        name, colon, value = part.partition(":")
        if colon and name.replace("_", "").isalnum():
            out[name] = value
            last = name
        elif last:
            out[last] += "," + part
    return {name: unquote(value) for name, value in out.items()}
