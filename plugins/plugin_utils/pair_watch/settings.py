# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The arguments of event source ha_watch, checked once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.news import Lasting

_FALSE = frozenset({"no", "off", "false", "0", "n", "f"})
_TRUE = frozenset({"yes", "on", "true", "1", "y", "t"})


class SettingsError(Exception):
    """An argument that cannot be right; the text is the sentence for the user."""


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """How to reach EC2; None: as boto3 finds it."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What to watch, whom to ask how often (seconds), and how long a condition must last to be news."""

    group: str
    nitro: Connection
    aws: AwsAccess
    elastic_ips: tuple[str, ...] = ()
    nitro_port: int | None = None
    interval: float = 1.0
    aws_interval: float = 30.0
    lasting: Lasting = field(default_factory=Lasting)


# The option of the documentation, by what it is about.
_WATCHING = ("group", "elastic_ips", "interval", "timeout", "aws_interval")
_LASTING = ("lost_after", "returned_after", "astray_after", "no_primary_after")
_NITRO = ("nitro_user", "nitro_pass", "nitro_protocol", "nitro_port", "validate_certs", "ca_path")
_AWS = ("region", "profile", "endpoint_url", "access_key", "secret_key", "session_token", "aws_ca_bundle")
ARGUMENTS = frozenset((*_WATCHING, *_LASTING, *_NITRO, *_AWS))


def settings_from(args: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that arguments and environment make. Raises SettingsError with a sentence that holds no secret."""
    unknown = sorted(set(args) - ARGUMENTS - {"eda_feedback_queue"})
    if unknown:
        raise SettingsError(f"ha_watch has no argument {', '.join(unknown)}; it has {', '.join(sorted(ARGUMENTS))}")
    given = _Given(args, environ)
    protocol = given.text("nitro_protocol", "https", env="NETSCALER_NITRO_PROTOCOL")
    if protocol not in ("http", "https"):
        raise SettingsError(f"nitro_protocol must be http or https, not {protocol!r}")
    timeout = given.seconds("timeout", 1.0, most=5.0)
    return Settings(
        group=given.needed("group"),
        nitro=Connection(
            nsip="",
            user=given.text("nitro_user", "nsroot", env="NETSCALER_NITRO_USER"),
            password=given.needed("nitro_pass", env="NETSCALER_NITRO_PASS"),
            protocol=cast("Literal['http', 'https']", protocol),
            validate_certs=given.flag("validate_certs", True, env="NETSCALER_VALIDATE_CERTS"),
            ca_path=given.text("ca_path", "", env="NETSCALER_CA_PATH") or None,
            timeout=timeout,
            connect_timeout=timeout,
        ),
        aws=_aws(given, environ),
        elastic_ips=given.words("elastic_ips"),
        nitro_port=given.port("nitro_port"),
        interval=given.seconds("interval", 1.0, least=0.1),
        aws_interval=given.seconds("aws_interval", 30.0, least=1.0),
        lasting=Lasting(
            lost=given.seconds("lost_after", Lasting().lost),
            returned=given.seconds("returned_after", Lasting().returned),
            astray=given.seconds("astray_after", Lasting().astray),
            no_primary=given.seconds("no_primary_after", Lasting().no_primary),
        ),
    )


def _aws(given: _Given, environ: Mapping[str, str]) -> AwsAccess:
    region = given.text("region", environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "")
    return AwsAccess(
        region=region or None,
        profile=given.text("profile", "") or None,
        endpoint_url=given.text("endpoint_url", "") or None,
        access_key=given.text("access_key", "") or None,
        secret_key=given.text("secret_key", "") or None,
        session_token=given.text("session_token", "") or None,
        ca_bundle=given.text("aws_ca_bundle", "") or None,
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """The arguments, each with its type; an empty one counts as not given."""

    args: Mapping[str, Any]
    environ: Mapping[str, str]

    def _value(self, name: str, env: str) -> Any:
        value = self.args.get(name)
        return (self.environ.get(env) if env else None) if value in (None, "") else value

    def text(self, name: str, default: str, *, env: str = "") -> str:
        value = self._value(name, env)
        if value is None:
            return default
        if not isinstance(value, str):
            hint = f", or in the environment as {env}" if env else ""
            raise SettingsError(
                f"{name} must be a text, and a template made it {type(value).__name__}; ansible-rulebook takes a text "
                f"that looks like a number for one: write it in quotes within quotes{hint}"
            )
        return value

    def needed(self, name: str, *, env: str = "") -> str:
        value = self.text(name, "", env=env)
        if not value:
            raise SettingsError(f"{name} is needed{f' (or {env} in the environment)' if env else ''}")
        return value

    def seconds(self, name: str, default: float, *, least: float = 0.0, most: float = 86400.0) -> float:
        value = self._value(name, "")
        if value is None:
            return default
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise SettingsError(f"{name} must be a number of seconds, not {value!r}") from None
        if not least <= number <= most:
            raise SettingsError(f"{name} must be {least:g} to {most:g} seconds, not {number:g}")
        return number

    def flag(self, name: str, default: bool, *, env: str) -> bool:
        value = self._value(name, env)
        if value is None:
            return default
        word = str(value).lower()
        if word not in _TRUE | _FALSE:
            raise SettingsError(f"{name} must be true or false, not {value!r}")
        return word in _TRUE

    def port(self, name: str) -> int | None:
        value = self._value(name, "")
        if value is None:
            return None
        if not str(value).isdecimal() or not 0 < int(value) < 65536:
            raise SettingsError(f"{name} must be a number from 1 to 65535, not {value!r}")
        return int(value)

    def words(self, name: str) -> tuple[str, ...]:
        value = self._value(name, "")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise SettingsError(f"{name} must be a list of texts")
        return tuple(value)
