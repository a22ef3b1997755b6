"""The rules by which the tests judge what is shipped for AWX: each of them can refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.awx import rules

QUESTION = {"question_name": "Zone", "variable": "zone", "type": "text", "required": True}
MINUTELY = "DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=1"


def survey(**changes: Any) -> dict[str, Any]:
    """Return a survey of one question, with changes to it; a key that becomes None is left out."""
    question = {key: value for key, value in {**QUESTION, **changes}.items() if value is not None}
    return {"name": "n", "description": "d", "spec": [question]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"type": "integer", "default": 3, "min": -1, "max": 5},
        {"type": "float", "default": 3.0},
        {"type": "integer", "default": ""},
        {"type": "multiplechoice", "choices": ["a", "b"], "default": "a"},
        {"type": "multiplechoice", "choices": "a\nb", "default": "b"},
        {"type": "multiselect", "choices": ["a", "b"], "default": "a\nb"},
    ],
)
def test_a_survey_is_taken(changes: dict[str, Any]) -> None:
    assert rules.survey(survey(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"variable": None}, "variable is missing"),
        ({"required": "yes"}, "required is missing or no bool"),
        ({"type": "bool"}, "bool is no type"),
        ({"type": "integer", "default": "3"}, "default '3' is no int"),
        ({"type": "integer", "default": True}, "default True is no int"),
        ({"type": "float", "default": 3}, "default 3 is no float"),
        ({"type": "float", "min": 0.5}, "min is no integer"),
        ({"type": "multiplechoice"}, "choices are missing"),
        ({"type": "multiplechoice", "choices": [True, False]}, "not all of them are strings"),
        ({"type": "multiplechoice", "choices": ["a"], "default": "b"}, "none of the choices"),
        ({"type": "multiplechoice", "choices": ["a", "b"], "default": "a\nb"}, "more than one default"),
        ({"default": "$encrypted$"}, "AWX's own word"),
    ],
)
def test_a_survey_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(rules.survey(survey(**changes)))


@pytest.mark.parametrize(
    ("whole", "sentence"),
    [
        ({"name": "n", "description": "d", "spec": []}, "no question"),
        ({"name": "n", "spec": [QUESTION]}, "description is missing"),
        ({"name": "n", "description": "d", "spec": [QUESTION, QUESTION]}, "zone is asked twice"),
    ],
)
def test_a_whole_survey_is_refused(whole: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(rules.survey(whole))


def kind_of_credential(fields: list[dict[str, Any]], **injectors: Any) -> dict[str, Any]:
    return {"name": "n", "kind": "cloud", "inputs": {"fields": fields}, "injectors": injectors}


USER = {"id": "user", "label": "User", "type": "string"}
FLAG = {"id": "flag", "label": "Flag", "type": "boolean"}


@pytest.mark.parametrize(
    "given",
    [
        kind_of_credential([USER], env={"USER_NAME": "{{ user }}"}),
        kind_of_credential([USER], file={"template": "{{ user }}"}, env={"FILE": "{{ tower.filename }}"}),
        kind_of_credential([USER], file={"template.a": "{{ user }}"}, extra_vars={"a": "{{ tower.filename.a }}"}),
        kind_of_credential([USER, FLAG], extra_vars={"a": {"b": "{{ user }}", "c": ["{{ flag }}"]}}),
    ],
)
def test_a_credential_type_is_taken(given: dict[str, Any]) -> None:
    assert rules.credential_type(given) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (kind_of_credential([USER]) | {"kind": "ssh"}, "kind ssh"),
        (kind_of_credential([{"id": "user"}]), "'label' is a required property"),
        (kind_of_credential([USER | {"id": "my-user"}]), "does not match"),
        (kind_of_credential([USER | {"id": "tower"}]), "AWX's own name"),
        (kind_of_credential([USER, USER]), "user is there twice"),
        (kind_of_credential([USER | {"type": "int"}]), "is not one of"),
        (kind_of_credential([USER | {"default": 1}]), "default 1 is no string"),
        (kind_of_credential([FLAG | {"default": "true"}]), "default 'true' is no boolean"),
        (kind_of_credential([FLAG | {"secret": True}]), "secret is for strings"),
        (kind_of_credential([USER]) | {"inputs": {"fields": [USER], "required": ["pass"]}}, "pass is required"),
        (kind_of_credential([USER], env={"ANSIBLE_USER": "x"}), "ANSIBLE_USER is not allowed"),
        (kind_of_credential([USER], env={"PATH": "x"}), "PATH is not allowed"),
        (kind_of_credential([USER], env={"A": "ü"}), "does not match"),
        (kind_of_credential([USER], env={"A": "{{ pass_word }}"}), "'pass_word' is undefined"),
        (kind_of_credential([USER], env={"A": "{{ tower.filename }}"}), "no attribute 'filename'"),
        (kind_of_credential([USER], env={"A": "{{ user"}), "unexpected end of template"),
        (kind_of_credential([USER], file={"template": "a", "template.b": "b"}), "stands alone"),
        (kind_of_credential([USER], file={"ca": "a"}), "do not match|does not match"),
        (kind_of_credential([USER], extra_vars={"a": True}), "is not valid under any"),
    ],
)
def test_a_credential_type_is_refused(given: dict[str, Any], sentence: str) -> None:
    message = " ".join(rules.credential_type(given))
    assert any(part in message for part in sentence.split("|")), message


@pytest.mark.parametrize(
    "given", [MINUTELY, "DTSTART;TZID=Europe/Berlin:20260101T000000 RRULE:FREQ=DAILY;INTERVAL=1;BYDAY=MO,TU;COUNT=999"]
)
def test_a_schedule_is_taken(given: str) -> None:
    assert rules.rrule(given) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("RRULE:FREQ=MINUTELY;INTERVAL=1", "exactly one DTSTART"),
        ("DTSTART:20260101T000000Z " + MINUTELY, "exactly one DTSTART"),
        ("DTSTART:20260101T000000 RRULE:FREQ=MINUTELY;INTERVAL=1", "neither UTC"),
        ("DTSTART:20260101T000000Z", "no RRULE"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY", "INTERVAL is missing"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=SECONDLY;INTERVAL=30", "SECONDLY"),
        (MINUTELY + " EXDATE:20260102T000000Z", "EXDATE"),
        (MINUTELY + ";BYDAY=1MO", "BYDAY"),
        (MINUTELY + ";BYYEARDAY=1", "BYYEARDAY"),
        (MINUTELY + ";BYMONTHDAY=1,2", "BYMONTHDAY"),
        (MINUTELY + ";COUNT=5;UNTIL=20270101T000000Z", "exclude each other"),
        (MINUTELY + ";COUNT=1000", "above 999"),
    ],
)
def test_a_schedule_is_refused(given: str, sentence: str) -> None:
    assert sentence in " ".join(rules.rrule(given))
