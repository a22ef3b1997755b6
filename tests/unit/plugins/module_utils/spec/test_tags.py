"""Tags that AWS would refuse are refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.reading import Reader
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.tags import read_tags


def read(tags: Any) -> tuple[dict[str, str], list[str]]:
    problems: list[str] = []
    return read_tags(Reader({"tags": tags}, problems, "ha_pair_")), problems


def test_letters_of_every_script_numbers_and_spaces_are_kept() -> None:
    given = {"Kostenstelle": "Größe 1+1=2", "名前": "日本", "owner": "ops@example.org", "empty": None, "year": 2026}
    assert read(given) == ({**given, "empty": "", "year": "2026"}, [])


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"q": 'say "no"'}, "ha_pair_tags.q: AWS does not accept '\"' in every tag"),
        ({"q": "a\\b{{"}, "ha_pair_tags.q: AWS does not accept '\\\\' '{' in every tag"),
        ({"q!": "x"}, "ha_pair_tags.q!: AWS does not accept '!' in every tag"),
        ({"q": "a\nb"}, "ha_pair_tags.q: AWS does not accept '\\n' in every tag"),
        ({"cloudadc:group": "x"}, "keys that begin with aws: or cloudadc: are reserved"),
        ({"AWS:x": "x"}, "keys that begin with aws: or cloudadc: are reserved"),
        ({"k" * 129: "x"}, "a key has 1 to 128 characters"),
        ({"k": "x" * 257}, "a value at most 256"),
        ({f"k{number}": "x" for number in range(41)}, "ha_pair_tags has 41 entries; 40 are possible."),
        ({"team": ["a"]}, "ha_pair_tags.team must be a text."),
        ("team=a", "ha_pair_tags must be a dictionary, not 'team=a'."),
    ],
)
def test_tag_that_a_service_refuses_is_named(tags: Any, message: str) -> None:
    _tags, problems = read(tags)
    assert any(message in problem for problem in problems), problems
