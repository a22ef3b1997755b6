# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The arguments of an event source: checked once, each with its type, and what the environment adds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ..module_utils.aws.accounts import Accounts
from ..module_utils.aws.sts import assume_role
from ..module_utils.core.bounded_aws import bounded
from ..module_utils.core.fingerprints import PIN, VERIFY, Pins
from ..module_utils.nitro.client import Connection
from ..module_utils.spec.alerts import Targets
from ..module_utils.spec.errors import AutoscaleError
from .templates import resolved

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    HAS_BOTO3 = True
except ImportError:
    HAS_BOTO3 = False

NITRO = frozenset(
    ("nitro_user", "nitro_pass", "nitro_protocol", "nitro_port", "validate_certs", "ca_path", "management_tls")
)
AWS = frozenset(("region", "profile", "endpoint_url", "access_key", "secret_key", "session_token", "aws_ca_bundle"))
_STORES = {"file": "path", "dynamodb": "table"}
_FALSE = frozenset({"no", "off", "false", "0", "n", "f"})
_TRUE = frozenset({"yes", "on", "true", "1", "y", "t"})

from ..module_utils.core.errors import Failure


class SettingsError(Failure):
    """An argument that cannot be right; the text is the message for the user."""


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """How to reach AWS; None: as boto3 finds it."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None

    def client(self, service: str, *, attempts: int = 2) -> Any:
        """Return a client with short timeouts, because the next poll follows soon. Raises SettingsError.

        ``attempts``: how often it sends a call that is not answered; 1 for writes that are judged before each.
        """
        if not HAS_BOTO3:
            raise SettingsError("the Python library boto3 is needed where ansible-rulebook runs")
        try:
            session = boto3.session.Session(
                aws_access_key_id=self.access_key,
                aws_secret_access_key=self.secret_key,
                aws_session_token=self.session_token,
                region_name=self.region,
                profile_name=self.profile,
            )
            settings = Config(
                connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": attempts}
            )
            return bounded(
                session.client(service, endpoint_url=self.endpoint_url, verify=self.ca_bundle, config=settings)
            )
        except (BotoCoreError, ValueError) as error:
            raise SettingsError(f"no connection to {service} can be made: {error}") from None

    def ec2(self, *, attempts: int = 2) -> Accounts:
        """Return a client of EC2 that can act as other roles, for route tables of other accounts."""
        own = self.client("ec2", attempts=attempts)

        def assume(role_arn: str) -> tuple[Any, float]:
            session = assume_role(self.client("sts"), role_arn)
            keys = {"access_key": session["AccessKeyId"], "secret_key": session["SecretAccessKey"]}
            more = {"session_token": session["SessionToken"], "profile": None, "region": own.meta.region_name}
            other = replace(self, **keys, **more)
            return other.client("ec2", attempts=attempts), session["Expiration"].timestamp()

        return Accounts(own, assume)


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments, each with its type; an empty one counts as not given."""

    args: Mapping[str, Any]
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def only(self, source: str, known: frozenset[str]) -> None:
        """Raise SettingsError for an unknown argument, which would otherwise be ignored silently."""
        unknown = sorted(set(self.args) - known - {"eda_feedback_queue"})
        if unknown:
            raise SettingsError(f"{source} has no argument {', '.join(unknown)}; it has {', '.join(sorted(known))}")

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

    def seconds(
        self, name: str, default: float, *, least: float = 0.0, most: float = 86400.0, unit: str = "seconds"
    ) -> float:
        value = self._value(name, "")
        if value is None:
            return default
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise SettingsError(f"{name} must be a number of {unit}, not {value!r}") from None
        if not least <= number <= most:
            raise SettingsError(f"{name} must be {least:g} to {most:g} {unit}, not {number:g}")
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

    def ports(self, name: str) -> tuple[int, ...]:
        value = self._value(name, "")
        if value is None:
            return ()
        if not isinstance(value, list):
            raise SettingsError(f"{name} must be a list of ports")
        found = [Given({name: one}, {}).port(name) for one in value]
        return tuple(one for one in found if one is not None)

    def words(self, name: str) -> tuple[str, ...]:
        value = self._value(name, "")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise SettingsError(f"{name} must be a list of texts")
        return tuple(value)


def given_from(args: Mapping[str, Any]) -> Given:
    """Return the arguments as ansible-rulebook hands them over, with lookups of the environment resolved.

    Raises:
        TemplateError: An argument contains another template.
    """
    return Given(resolved(args, os.environ))


def nitro_from(given: Given, timeout: float, connect_timeout: float) -> Connection:
    """How appliances are reached and entered; the address is not known yet."""
    message = given.text("nitro_protocol", "https", env="NETSCALER_NITRO_PROTOCOL")
    if message not in ("http", "https"):
        raise SettingsError(f"nitro_protocol must be http or https, not {message!r}")
    protocol: Literal["http", "https"] = "http" if message == "http" else "https"
    return Connection(
        nsip="",
        user=given.text("nitro_user", "nsroot", env="NETSCALER_NITRO_USER"),
        password=_password(given),
        protocol=protocol,
        validate_certs=given.flag("validate_certs", True, env="NETSCALER_VALIDATE_CERTS"),
        ca_path=given.text("ca_path", "", env="NETSCALER_CA_PATH") or None,
        timeout=timeout,
        connect_timeout=connect_timeout,
    )


def _password(given: Given) -> str:
    file = given.text("nitro_pass_file", "")
    return password_in(file) if file else given.needed("nitro_pass", env="NETSCALER_NITRO_PASS")


def pins_from(given: Given) -> Pins:
    """Return how certificates of appliances are checked; the fingerprints are read from tags. Raises SettingsError."""
    message = given.text("management_tls", VERIFY, env="NETSCALER_MANAGEMENT_TLS")
    if message not in (VERIFY, PIN):
        raise SettingsError(f"management_tls must be {VERIFY} or {PIN}, not {message!r}")
    if message == PIN and nitro_from(given, 1.0, 1.0).protocol == "http":
        raise SettingsError("management_tls=pin needs nitro_protocol=https")
    return Pins(message == PIN)


def connection_at(nitro: Connection, endpoint: str, password_file: str | None, pins: Pins) -> Connection:
    """Return how the appliance at an endpoint is entered now: a password from a file may have been changed meanwhile.

    Raises SettingsError if the file cannot be read, or NitroInputError if a fingerprint is required and not known.
    """
    password = password_in(password_file) if password_file else nitro.password
    return replace(nitro, nsip=endpoint, password=password, fingerprints=pins.of(endpoint))


def password_in(path: str) -> str:
    """Return the password in a file, without the end of its line. Raises SettingsError."""
    try:
        found = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsError(f"nitro_pass_file {path} cannot be read: {reason}") from None
    if not found:
        raise SettingsError(f"nitro_pass_file {path} is empty")
    return found


def store_from(value: Any) -> Mapping[str, Any]:
    """Return the option ``store`` as the modules take it. Raises SettingsError."""
    if not isinstance(value, dict):
        raise SettingsError("store is needed: type file with path, or dynamodb with table")
    kind = value.get("type", "file")
    if kind not in _STORES or not value.get(_STORES[kind]):
        raise SettingsError("store must be of type file with path, or dynamodb with table")
    return {"type": kind, "path": value.get("path"), "table": value.get("table"), "create": bool(value.get("create"))}


def alerts_from(given: Given) -> Targets:
    """Return where alerts are published. Raises SettingsError."""
    try:
        return Targets.from_option(given.args.get("alerts"))
    except AutoscaleError as error:
        raise SettingsError(str(error)) from None


def aws_from(given: Given) -> AwsAccess:
    """How AWS is reached."""
    region = given.text("region", given.environ.get("AWS_REGION") or given.environ.get("AWS_DEFAULT_REGION") or "")
    return AwsAccess(
        region=region or None,
        profile=given.text("profile", "") or None,
        endpoint_url=given.text("endpoint_url", "") or None,
        access_key=given.text("access_key", "") or None,
        secret_key=given.text("secret_key", "") or None,
        session_token=given.text("session_token", "") or None,
        ca_bundle=given.text("aws_ca_bundle", "") or None,
    )
