# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of role ha_upgrade, normalised, and all that is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .builds import parse_build
from .reading import Reader

PREFIX = "ha_upgrade_"
REPLACE, INSTALL = "replace", "install"
METHODS = (REPLACE, INSTALL)
NEVER, AUTO, REQUIRE = "never", "auto", "require"
ISSU = (NEVER, AUTO, REQUIRE)
#: What the appliance can fetch (vendor's NITRO reference, install).
SCHEMES = ("http", "https", "sftp", "scp", "ftp", "file")
NAMES = (
    *("method", "bake_time", "serve_timeout", "ignore_missing", "backup_bucket"),
    *("build", "url", "return_url", "issu", "allow_downgrade", "allow_vulnerable"),
    *("install_timeout", "boot_timeout", "migration_timeout"),
)
VARIABLES = tuple(f"{PREFIX}{name}" for name in NAMES)


def read_upgrade(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the normalised definition and one message for each problem.

    Args:
        variables: the variables by name, as lookup ``cloudadc.aws.role_variables`` collects them.
    """
    problems: list[str] = []
    plain = {name.removeprefix(PREFIX): value for name, value in variables.items() if name.startswith(PREFIX)}
    reader = Reader(plain, problems, PREFIX)
    reader.unknown_variables("ha_upgrade", VARIABLES, variables)
    definition = {
        "method": reader.choice("method", METHODS, REPLACE),
        "bake_time": reader.whole("bake_time", 300),
        "serve_timeout": reader.whole("serve_timeout", 60, 1),
        "ignore_missing": reader.flag("ignore_missing", False),
        "backup_bucket": reader.text("backup_bucket"),
        "build": reader.text("build"),
        "url": reader.text("url"),
        "return_url": reader.text("return_url"),
        "issu": reader.choice("issu", ISSU, NEVER),
        "allow_downgrade": reader.flag("allow_downgrade", False),
        "allow_vulnerable": reader.flag("allow_vulnerable", False),
        "install_timeout": reader.whole("install_timeout", 1800, 1),
        "boot_timeout": reader.whole("boot_timeout", 900, 1),
        "migration_timeout": reader.whole("migration_timeout", 3600),
    }
    return definition, [*problems, *_of_method(definition)]


def _of_method(definition: Mapping[str, Any]) -> list[str]:
    if definition["method"] != INSTALL:
        given = [name for name in ("build", "url", "return_url") if definition[name]]
        return [f"{PREFIX}{name} needs {PREFIX}method: install." for name in given]
    found = []
    if parse_build(definition["build"]) is None:
        found.append(f"{PREFIX}build must be a build such as 14.1-72.61, not {definition['build'] or 'empty'}.")
    for name in ("url", "return_url"):
        if (definition[name] or name == "url") and (problem := url_problem(definition[name])):
            found.append(f"{PREFIX}{name} {problem}.")
    return found


def url_problem(url: str) -> str | None:
    """Return what is wrong with the URL of a build file, without the URL: it may have a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is no URL"
    if parts.scheme not in SCHEMES:
        return f"must begin with {', '.join(f'{name}://' for name in SCHEMES[:-1])} or {SCHEMES[-1]}://"
    if not parts.path.strip("/"):
        return "names no file"
    return None


def url_secrets(url: str) -> tuple[str, ...]:
    """Return the parts of a URL that must not be shown: itself, its password and its query."""
    parts = urlsplit(url)
    return tuple(text for text in (url, parts.password, parts.query) if text)
