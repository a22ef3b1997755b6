# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Mask secrets in text that another system wrote, however that system spelt them."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Iterable
from html.entities import codepoint2name

MASK = "********"
# Shorter secrets are searched for as they are only: their encodings occur in any text.
_LEAST_ENCODED = 4
_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with every secret masked: literal, JSON-, URL- and HTML-escaped, and in base64.

    Longest first, so that overlapping secrets are masked completely.
    """
    for secret in sorted({one for one in secrets if one}, key=len, reverse=True):
        text = _pattern(secret).sub(MASK, text)
    return text


@functools.lru_cache(maxsize=64)
def _pattern(secret: str) -> re.Pattern[str]:
    if len(secret) < _LEAST_ENCODED:
        return re.compile(re.escape(secret))
    spelt = "".join(f"(?:{'|'.join(_spellings(one))})" for one in secret)
    return re.compile("|".join([*(re.escape(one) for one in _base64(secret)), spelt]))


def _spellings(one: str) -> list[str]:
    """Return a character's spellings as regular expressions, longest first."""
    code = ord(one)
    octets = "".join(f"%{_any_case(f'{octet:02x}')}" for octet in one.encode("utf-8", "surrogatepass"))
    units = one.encode("utf-16-be", "surrogatepass").hex()
    found = [
        "".join(rf"\\+u{_any_case(units[start : start + 4])}" for start in range(0, len(units), 4)),
        octets,
        octets.replace("%", "%25"),
        f"&#0*{code};",
        f"&#[xX]0*{_any_case(f'{code:x}')};",
        re.escape(one),
    ]
    if code in codepoint2name:
        found.append(f"&{codepoint2name[code]};")
    if one == "'":
        found.append("&apos;")
    if one in _JSON_SHORT:
        found.append(re.escape(_JSON_SHORT[one]))
    if one == " ":
        found.append(r"\+")
    return sorted(found, key=len, reverse=True)


def _any_case(digits: str) -> str:
    return "".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in digits)


def _base64(secret: str) -> list[str]:
    """Return the secret's base64 at each of the three offsets it can have in a longer text, as in ``user:secret``.

    The characters at the ends depend on the neighbours and are left out.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    found = {base64.b64encode(raw).decode()}
    for offset in range(3):
        padded = b"\0" * offset + raw
        encoded = base64.b64encode(padded + b"\0" * (-len(padded) % 3)).decode()
        middle = encoded[-(-offset * 4 // 3) : len(padded) * 8 // 6]
        if len(middle) >= _LEAST_ENCODED:
            found.add(middle)
    found |= {one.replace("+", "-").replace("/", "_") for one in found}
    return sorted(found, key=len, reverse=True)
