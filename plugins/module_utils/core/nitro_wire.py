# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""NITRO on the wire, without the wire: addresses, URLs, and what an answer says. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .nitro_errors import NitroInputError

#: Names that cannot stand in a URL: clients and servers take them for the collection or for the level above.
UNSPEAKABLE = frozenset({"", ".", ".."})
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)


def parse_address(nsip: str, option: str = "nsip") -> tuple[str, int | None]:
    """Split an address into (host, port or None): ``10.0.1.10``, ``10.0.1.10:9443``, ``[2001:db8::1]:443``,
    ``2001:db8::1``.

    Raises NitroInputError for anything that cannot stand between ``https://`` and a path.
    """
    text = nsip.strip()
    if "/" in text:
        raise NitroInputError(f"{option} {nsip!r} is no address")
    if text.count(":") > 1 and not text.startswith("["):
        host, port = text, ""
    else:
        found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?", text)
        if found is None:
            raise NitroInputError(f"{option} {nsip!r} is no address")
        host, port = found[1].strip("[]"), found[2] or ""
    ipv6 = ":" in host
    if not (re.fullmatch(r"[0-9A-Fa-f:.]+(%[\w.-]+)?", host) if ipv6 else _HOST.fullmatch(host)):
        raise NitroInputError(f"{option} {nsip!r} is no address")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise NitroInputError(f"{option} {nsip!r}: the port must be a number from 1 to 65535")
    return host, int(port) if port else None


def base_url(protocol: str, nsip: str) -> str:
    """``https://10.0.1.10:9443/nitro/v1``, IPv6 in brackets."""
    host, port = parse_address(nsip)
    host = f"[{host}]" if ":" in host else host
    return f"{protocol}://{host}{f':{port}' if port else ''}/nitro/v1"


def _pairs(values: Mapping[str, Any]) -> str:
    return ",".join(f"{key}:{quote(str(value), safe='')}" for key, value in values.items())


def path(
    kind: str,
    resource: str,
    name: str | int | None = None,
    *,
    action: str | None = None,
    args: Mapping[str, Any] | None = None,
    filters: Mapping[str, Any] | None = None,
    bulk: bool = False,
) -> str:
    """Return the path and query below ``/nitro/v1``. ``kind``: ``config`` or ``stat``. ``bulk``: of every object of a
    type.

    Ids are percent-encoded twice, values in the query once, as the vendor's Ansible client sends them
    (netscaler.adc, module_utils/client.py ``url_builder``). Raises NitroInputError for a name that, in a URL, would
    stand for something else: the whole collection, or the level above it.
    """
    url = f"/{kind}/{resource}"
    if name is not None:
        if str(name) in UNSPEAKABLE:
            raise NitroInputError(f"{resource} {str(name)!r}: an object cannot have this name")
        url += "/" + quote(quote(str(name), safe=""), safe="")
    query = [
        f"action={action}" if action else "",
        f"args={_pairs(args)}" if args else "",
        f"filter={_pairs(filters)}" if filters else "",
        "bulkbindings=yes" if bulk else "",
    ]
    query = [part for part in query if part]
    return f"{url}?{'&'.join(query)}" if query else url


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``garbled`` says what came instead of NITRO's JSON; then ``code`` is 0 and ``body`` empty."""

    status: int
    code: int
    message: str
    body: Mapping[str, Any]
    garbled: str | None = None

    @property
    def ok(self) -> bool:
        """Done, perhaps with a warning (209 X-NITRO-WARNING, severity WARNING)."""
        warned = self.status == 209 or str(self.body.get("severity", "")).upper() == "WARNING"
        return self.garbled is None and 200 <= self.status < 300 and (self.code == 0 or warned)


def parse_reply(status: int, content_type: str, content: bytes, *, body_expected: bool) -> Reply:
    """Parse an HTTP answer. A successful write may have no body (201 of an add); a read must have one."""
    text = content.decode("utf-8", errors="replace").strip()
    if not text:
        garbled = None if 200 <= status < 300 and not body_expected else f"an empty body (HTTP {status})"
        return Reply(status, 0, "", {}, garbled)
    try:
        body = json.loads(text)
    except RecursionError:
        return Reply(status, 0, "", {}, f"JSON nested too deeply (HTTP {status})")
    except ValueError:
        return Reply(status, 0, "", {}, f"{_what(text, content_type)} (HTTP {status})")
    if not isinstance(body, dict):
        return Reply(status, 0, "", {}, f"JSON that is no object (HTTP {status})")
    return Reply(status, _number(body.get("errorcode")), str(body.get("message") or ""), body)


def rows(body: Mapping[str, Any], resource: str) -> list[dict[str, Any]]:
    """Return the objects in an answer: a list, a single object (singletons, stat), or none where the key is absent."""
    found = body.get(resource)
    if isinstance(found, Mapping):
        return [dict(found)]
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [dict(row) for row in found if isinstance(row, Mapping)]
    return []


def misshapen(body: Mapping[str, Any], resource: str) -> bool:
    """Whether what stands there is neither an object nor a list of objects. Taken for none, it would be created."""
    found = body.get(resource)
    if found is None or isinstance(found, Mapping):
        return False
    return not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found)


def as_int(value: Any, default: int | None = None) -> int | None:
    """Convert a number of NITRO, which may be a string ("td": "0"); return ``default`` for other values."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return default


def _number(value: Any) -> int:
    return as_int(value, 0) or 0


def _what(text: str, content_type: str) -> str:
    """Describe an answer that is not JSON; of its text only a page's title, because it may hold a session id."""
    if text[0] in "{[":
        return f"JSON that breaks off after {len(text)} characters"
    if text[0] == "<" or "html" in content_type.lower():
        found = _TITLE.search(text)
        title = " ".join(found[1].split())[:80] if found else ""
        return f"an HTML page titled {title!r}" if title else "an HTML page"
    return f"{len(text)} characters of {content_type or 'text of no declared type'}"
