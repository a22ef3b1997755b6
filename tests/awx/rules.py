"""What AWX refuses, as far as it can be known without AWX: surveys, credential types, recurrence rules.

Written from the API's own checks (awx/api/views, awx/main/fields.py, awx/api/serializers.py of AWX 24). Each function
returns sentences, none if AWX would take it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

SURVEY_TYPES: dict[str, type] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}
_QUESTION_KEYS: dict[str, type] = {"type": str, "question_name": str, "variable": str, "required": bool}
_SURVEY_KEYS: dict[str, type] = {"name": str, "description": str, "spec": list}

# Custom types may be of these kinds only.
_KINDS = ("cloud", "net")
_INPUTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "required": {"type": "array", "items": {"type": "string"}},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "label"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[a-zA-Z_]+[a-zA-Z0-9_]*$"},
                    "label": {"type": "string"},
                    "help_text": {"type": "string"},
                    "type": {"enum": ["string", "boolean"]},
                    "format": {"enum": ["ssh_private_key", "url"]},
                    "choices": {"type": "array", "minItems": 1, "items": {"type": "string"}, "uniqueItems": True},
                    "multiline": {"type": "boolean"},
                    "secret": {"type": "boolean"},
                    "ask_at_runtime": {"type": "boolean"},
                    "default": {},
                },
            },
        },
    },
}
_INJECTORS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "object",
            "patternProperties": {r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": {"type": "string"}},
            "additionalProperties": False,
        },
        "env": {
            "type": "object",
            "patternProperties": {"^[a-zA-Z_]+[a-zA-Z0-9_]*$": {"type": "string", "pattern": "^[\x00-\x7f]*$"}},
            "additionalProperties": False,
        },
        "extra_vars": {
            "type": "object",
            "patternProperties": {
                r"^[a-zA-Z_\{\}]+[a-zA-Z0-9_\{\}]*$": {
                    "anyOf": [{"type": "string"}, {"type": "array"}, {"$ref": "#/properties/extra_vars"}]
                }
            },
            "additionalProperties": False,
        },
    },
}
_FORBIDDEN_VARIABLES = frozenset(
    {
        *("VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID"),
        *("AD_HOC_COMMAND_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE", "CACHE"),
        *("CALLBACK_CONNECTION", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS", "AWX_HOST", "PROJECT_REVISION"),
        "SUPERVISOR_CONFIG_PATH",
    }
)

_START = re.compile(r"DTSTART(;TZID=[A-Za-z_/+-]+:\d{8}T\d{6}|:\d{8}T\d{6}Z)(?=\s|$)")


def survey(spec: Any) -> list[str]:
    """Of a whole survey: ``{"name", "description", "spec": [question, …]}``."""
    wrong = [
        f"{key} is missing or no {kind.__name__}"
        for key, kind in _SURVEY_KEYS.items()
        if not isinstance(spec.get(key), kind)
    ]
    if wrong:
        return wrong
    if not spec["spec"]:
        return ["spec has no question"]
    names = [question.get("variable") for question in spec["spec"]]
    wrong = [f"{name} is asked twice" for name in sorted({str(name) for name in names if names.count(name) > 1})]
    return wrong + [
        f"{question.get('variable')}: {sentence}" for question in spec["spec"] for sentence in _question(question)
    ]


def _question(question: Mapping[str, Any]) -> Iterator[str]:
    for key, kind in _QUESTION_KEYS.items():
        if not isinstance(question.get(key), kind):
            yield f"{key} is missing or no {kind.__name__}"
            return
    kind_of_answer = SURVEY_TYPES.get(question["type"])
    if kind_of_answer is None:
        yield f"{question['type']} is no type of question"
        return
    default = question.get("default", "")
    if default != "" and (not isinstance(default, kind_of_answer) or isinstance(default, bool)):
        yield f"default {default!r} is no {kind_of_answer.__name__}"
    for key in ("min", "max"):
        if question.get(key) is not None and not (
            isinstance(question[key], int) and not isinstance(question[key], bool)
        ):
            yield f"{key} is no integer"
    if question["type"] in ("multiplechoice", "multiselect"):
        yield from _choices(question)
    if isinstance(default, str) and default.startswith("$encrypted$"):
        yield "$encrypted$ is AWX's own word"


def _choices(question: Mapping[str, Any]) -> Iterator[str]:
    choices = question.get("choices")
    if isinstance(choices, str):
        choices = choices.splitlines()
    if not choices or not all(isinstance(choice, str) for choice in choices):
        yield "choices are missing, or not all of them are strings"
        return
    defaults = str(question.get("default", "")).splitlines()
    if question["type"] == "multiplechoice" and len(defaults) > 1:
        yield "there is more than one default"
    for default in defaults:
        if default not in choices:
            yield f"default {default} is none of the choices"


def credential_type(given: Mapping[str, Any]) -> list[str]:
    """Of a custom credential type: ``{"name", "kind", "inputs", "injectors"}``."""
    wrong = [] if given.get("kind") in _KINDS else [f"kind {given.get('kind')} is none of {', '.join(_KINDS)}"]
    for key, schema in (("inputs", _INPUTS), ("injectors", _INJECTORS)):
        validator = jsonschema.Draft4Validator(schema)
        wrong += [f"{key}: {error.message}" for error in validator.iter_errors(given.get(key, {}))]
    if wrong:
        return wrong
    fields = given.get("inputs", {}).get("fields", [])
    return [
        *_fields(fields, given.get("inputs", {}).get("required", [])),
        *_injectors(fields, given.get("injectors", {})),
    ]


def _fields(fields: list[Mapping[str, Any]], required: list[str]) -> Iterator[str]:
    names = [field["id"] for field in fields]
    if "tower" in names:
        yield "tower is AWX's own name"
    yield from (f"{name} is there twice" for name in sorted({name for name in names if names.count(name) > 1}))
    yield from (f"{name} is required and no field" for name in required if name not in names)
    for field in fields:
        kind = field.get("type", "string")
        if "default" in field and not isinstance(field["default"], {"string": str, "boolean": bool}[kind]):
            yield f"{field['id']}: default {field['default']!r} is no {kind}"
        for key in ("choices", "multiline", "format", "secret"):
            if key in field and kind != "string":
                yield f"{field['id']}: {key} is for strings"


def _injectors(fields: list[Mapping[str, Any]], injectors: Mapping[str, Any]) -> Iterator[str]:
    files = injectors.get("file", {})
    if "template" in files and len(files) > 1:
        yield "file: template stands alone, or all are template.name"
    for name in injectors.get("env", {}):
        if name.startswith("ANSIBLE_") or name in _FORBIDDEN_VARIABLES:
            yield f"env: {name} is not allowed"
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    names: dict[str, Any] = {field["id"]: "EXAMPLE" for field in fields}
    named = {name.split(".", 1)[1]: "EXAMPLE_FILENAME" for name in files if "." in name}
    names["tower"] = {"filename": named or "EXAMPLE_FILENAME"} if files else {}
    for where, template in _templates(injectors):
        try:
            sandbox.from_string(template).render(**names)
        except TemplateError as error:
            yield f"{where}: {error}"


def _templates(node: Any, where: str = "injectors") -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for name, inner in node.items():
            yield from _templates(inner, f"{where}.{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from _templates(inner, where)
    else:
        yield where, node


def rrule(given: str) -> list[str]:
    """Of a schedule's recurrence rules."""
    starts = re.findall(r"DTSTART", given)
    rules = re.findall(r"(?<!EX)RRULE:(\S+)", given)
    wrong = []
    if len(starts) != 1:
        wrong.append("there is not exactly one DTSTART")
    elif not _START.search(given):
        wrong.append("DTSTART is neither UTC, with a Z, nor has a TZID")
    if not rules:
        wrong.append("there is no RRULE")
    for unsupported in ("EXDATE", "RDATE"):
        if unsupported in given:
            wrong.append(f"{unsupported} is not supported")
    return wrong + [sentence for rule in rules for sentence in _rule(rule)]


def _rule(rule: str) -> Iterator[str]:
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    if "INTERVAL" not in parts:
        yield "INTERVAL is missing"
    if parts.get("FREQ") == "SECONDLY":
        yield "SECONDLY is not supported"
    if re.search(r"\d", parts.get("BYDAY", "")):
        yield "BYDAY with a number is not supported"
    for unsupported in ("BYYEARDAY", "BYWEEKNO"):
        if unsupported in parts:
            yield f"{unsupported} is not supported"
    if "," in parts.get("BYMONTHDAY", "") + parts.get("BYMONTH", ""):
        yield "more than one BYMONTHDAY or BYMONTH is not supported"
    if "COUNT" in parts and "UNTIL" in parts:
        yield "COUNT and UNTIL exclude each other"
    if int(parts.get("COUNT", "0")) > 999:
        yield "COUNT is above 999"
