# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of role config_backup: normalised, and all that is wrong with them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.fingerprints import PIN, VERIFY
from .identity import KINDS, PAIR
from .reading import Reader, not_set

PREFIX = "config_backup_"
PLAIN = (
    *(
        "state",
        "kind",
        "name",
        "region",
        "bucket",
        "create_bucket",
        "prefix",
        "kms_key_id",
        "retention",
        "level",
        "key",
        "full",
    ),
    *(
        "required",
        "timeout",
        "nitro_user",
        "nitro_protocol",
        "nitro_port",
        "validate_certs",
        "ca_path",
        "management_tls",
    ),
)
SECRET = ("password", "applications", "application")
VARIABLES = tuple(f"{PREFIX}{name}" for name in (*PLAIN, *SECRET))
# General purpose buckets (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX_FORM = re.compile(r"[A-Za-z0-9!_.*'()/-]{1,200}")


def read_backup(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the variables without prefix and without secrets, and one message for each problem."""
    problems: list[str] = []
    plain = {name.removeprefix(PREFIX): value for name, value in variables.items() if name.startswith(PREFIX)}
    reader = Reader(plain, problems, PREFIX, SECRET)
    reader.unknown_variables("config_backup", VARIABLES, variables)
    for name in ("name", "bucket"):
        if not reader.given(name):
            problems.append(not_set(f"{PREFIX}{name}", "pair.yml"))
    reader.text("password")
    definition = {
        "state": reader.choice("state", ("present", "restored"), "present"),
        "kind": reader.choice("kind", KINDS, PAIR),
        "name": reader.text("name"),
        "region": reader.text("region"),
        "bucket": _matching(reader, "bucket", _BUCKET, "the name of a bucket"),
        "create_bucket": reader.flag("create_bucket", False),
        "prefix": _matching(reader, "prefix", _PREFIX_FORM, "letters, digits, slashes and !_.*'()-") or "cloudadc",
        "kms_key_id": reader.text("kms_key_id"),
        "retention": reader.whole("retention", 30),
        "level": reader.choice("level", ("basic", "full"), "full"),
        "key": reader.text("key"),
        "full": reader.flag("full", False),
        "required": reader.flag("required", True),
        "timeout": reader.seconds("timeout", 600.0),
        "applications": application_names(plain),
        "nitro_user": reader.text("nitro_user", "nsroot"),
        "nitro_protocol": reader.choice("nitro_protocol", ("http", "https"), "https"),
        "nitro_port": reader.port("nitro_port", 443),
        "validate_certs": reader.flag("validate_certs", True),
        "ca_path": reader.authorities("ca_path"),
        "management_tls": reader.choice("management_tls", (VERIFY, PIN), VERIFY),
    }
    return definition, problems


def _matching(reader: Reader, key: str, form: re.Pattern[str], kind: str) -> str:
    text = reader.text(key)
    if text and not form.fullmatch(text):
        reader.refuse(key, kind)
    return text


def application_names(variables: Mapping[str, Any]) -> list[str]:
    """Return the names of the applications, each once; what has none is no application."""
    given = variables.get("applications")
    entries = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    names = [str(one["name"]) for one in (*entries, variables.get("application")) if _named(one)]
    return list(dict.fromkeys(names))


def _named(entry: object) -> bool:
    return isinstance(entry, Mapping) and bool(entry.get("name"))
