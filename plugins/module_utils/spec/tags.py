# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags that a user gives: read, and checked against what every service accepts. Pure.

IAM and Elastic Load Balancing refuse characters that EC2 accepts, when the first resources exist already.
Source: IAM API reference, Tag (pattern, lengths); AWS general reference, tag restrictions (50 tags, prefix aws:).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from .reading import Reader

_LONGEST_KEY, _LONGEST_VALUE = 128, 256
#: AWS allows 50 on a resource, and this collection adds its own.
MOST_TAGS = 40
_SIGNS = frozenset("_.:/=+-@")
#: Major categories of Unicode that a tag may hold: letters, numbers, spaces.
_CATEGORIES = frozenset("LNZ")
_RESERVED = ("aws:", "cloudadc:")


def read_tags(reader: Reader, key: str = "tags") -> dict[str, str]:
    """Return the tags as texts, and record one problem for each that a service of AWS would refuse."""
    given, name = reader.mapping(key), f"{reader.where}{key}"
    if len(given) > MOST_TAGS:
        reader.problems.append(f"{name} has {len(given)} entries; {MOST_TAGS} are possible.")
    tags: dict[str, str] = {}
    for tag, value in given.items():
        if isinstance(value, Mapping | list | tuple):
            reader.problems.append(f"{name}.{tag} must be a text.")
            continue
        tags[tag] = "" if value is None else str(value)
        reader.problems += [f"{name}.{tag}: {problem}." for problem in _problems(tag, tags[tag])]
    return tags


def _problems(tag: str, value: str) -> list[str]:
    problems = []
    if tag.lower().startswith(_RESERVED):
        problems.append(f"keys that begin with {' or '.join(_RESERVED)} are reserved")
    if not 0 < len(tag) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
        problems.append(f"a key has 1 to {_LONGEST_KEY} characters and a value at most {_LONGEST_VALUE}")
    refused = sorted({sign for sign in tag + value if not _allowed(sign)})
    if refused:
        problems.append(
            f"AWS does not accept {' '.join(map(repr, refused))} in every tag; it accepts letters, numbers, "
            f"spaces and {' '.join(sorted(_SIGNS))}"
        )
    return problems


def _allowed(sign: str) -> bool:
    return sign in _SIGNS or unicodedata.category(sign)[0] in _CATEGORIES
