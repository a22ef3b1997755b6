"""Secrets are masked in whatever spelling another system uses."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.core.redaction import MASK, redact

SECRET = "P@ss/w\"o\\rd <&>'ü+ 1"
SPELLINGS = {
    "as it is": lambda s: s,
    "JSON, ASCII": lambda s: json.dumps(s)[1:-1],
    "JSON, Unicode": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "JSON with escaped slashes": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "JSON, capitals": lambda s: "".join(f"\\u{ord(c):04X}" for c in s),
    "JSON within JSON": lambda s: json.dumps("".join(f"\\u{ord(c):04x}" for c in s))[1:-1],
    "URL": lambda s: quote(s, safe=""),
    "URL, small letters": lambda s: quote(s, safe="").lower() if s.islower() else quote(s, safe=""),
    "URL, twice": lambda s: quote(quote(s, safe=""), safe=""),
    "form": quote_plus,
    "HTML": html.escape,
    "HTML without quotes": lambda s: html.escape(s, quote=False),
    "HTML by number": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "HTML by hexadecimal number": lambda s: "".join(f"&#x{ord(c):X};" for c in s),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_secret_is_masked_in_every_spelling(spelling: str) -> None:
    spelt = SPELLINGS[spelling](SECRET)
    assert redact(f"login failed for {spelt}; try again", [SECRET, "other"]) == f"login failed for {MASK}; try again"


@pytest.mark.parametrize("user", ["a", "ab", "abc", "nsroot"])
def test_secret_is_masked_in_basic_authentication(user: str) -> None:
    spelt = base64.b64encode(f"{user}:{SECRET}:x".encode()).decode()
    masked = redact(f"Basic {spelt}", [SECRET])
    assert MASK in masked
    left = masked.removeprefix("Basic ").split(MASK)
    assert all(len(part) < len(user) * 4 / 3 + 6 for part in left), masked


def test_longest_secret_comes_first_and_short_ones_are_literal() -> None:
    assert redact("abcdef abc", ["abc", "abcdef"]) == f"{MASK} {MASK}"
    assert redact("a/b %61 x", ["a", ""]) == f"{MASK}/b %61 x"


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=4, max_size=12), st.sampled_from(sorted(SPELLINGS)), st.text(max_size=10))
def test_no_spelling_of_any_secret_passes(secret: str, spelling: str, around: str) -> None:
    try:
        spelt = SPELLINGS[spelling](secret)
    except UnicodeEncodeError:
        return
    if "\\u" in spelt and any(ord(c) > 0xFFFF for c in secret):
        return  # written with five digits above: no JSON
    masked = redact(f"{around}|{spelt}|{around}", [secret])
    assert f"|{spelt}|" not in masked
