# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where Ansible meets NITRO: the options of every NITRO module, its connection, and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ..core import boundary
from ..core.fingerprints import PIN, VERIFY, pins_from
from ..core.nitro_errors import NitroInputError
from ..core.nitro_transport import HAS_REQUESTS
from .client import Connection, NitroClient
from .logins import IDLE_SECONDS, LoginGate


def nitro_argument_spec(*, nsip: bool = True) -> dict[str, dict[str, Any]]:
    """Return the options of fragment ``cloudadc.aws.nitro``; without ``nsip`` for modules that take many addresses."""
    spec: dict[str, dict[str, Any]] = {
        "nitro_user": _from_env("NITRO_USER", type="str", default="nsroot"),
        "nitro_pass": _from_env("NITRO_PASS", type="str", no_log=True),
        "nitro_auth_token": _from_env("NITRO_AUTH_TOKEN", type="str", no_log=True),
        "nitro_protocol": _from_env("NITRO_PROTOCOL", type="str", choices=["http", "https"], default="https"),
        "validate_certs": _from_env("VALIDATE_CERTS", type="bool", default=True),
        "ca_path": _from_env("CA_PATH", type="path"),
        "management_tls": _from_env("MANAGEMENT_TLS", type="str", choices=[VERIFY, PIN], default=VERIFY),
        "fingerprint": _from_env("FINGERPRINT", type="str"),
        "fingerprints": {"type": "dict"},
        "nitro_timeout": {"type": "float", "default": 30.0},
        "save_config": {"type": "bool", "default": True},
    }
    if nsip:
        spec["nsip"] = _from_env("NSIP", type="str", required=True)
    return spec


def _from_env(name: str, **option: Any) -> dict[str, Any]:
    return {**option, "fallback": (env_fallback, [f"NETSCALER_{name}"])}


def connection_from(
    params: Mapping[str, Any],
    *,
    nsip: str | None = None,
    other_password: str | None = None,
    wrote: Callable[[str], None] | None = None,
) -> Connection:
    """How to reach the appliance these parameters (or ``nsip``) name. Raises NitroInputError."""
    timeout = float(params["nitro_timeout"])
    if timeout <= 0:
        raise NitroInputError(f"nitro_timeout must be above 0 seconds, not {timeout:g}")
    address = nsip or params["nsip"]
    return Connection(
        nsip=address,
        user=params["nitro_user"],
        password=params["nitro_pass"] or None,
        other_password=other_password or None,
        token=params["nitro_auth_token"] or None,
        protocol=params["nitro_protocol"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"] or None,
        fingerprints=pins_from(params).of(address),
        timeout=timeout,
        wrote=wrote,
    )


def require_usable(params: Mapping[str, Any]) -> None:
    """Raise NitroInputError for options with which no appliance could be asked, before one is."""
    _enterable(connection_from({**params, "management_tls": VERIFY}, nsip="unused"))


def client_from(
    params: Mapping[str, Any],
    *,
    nsip: str | None = None,
    other_password: str | None = None,
    wrote: Callable[[str], None] | None = None,
) -> NitroClient:
    """Return a client for the appliance of these parameters without sending anything. Raises NitroInputError."""
    connection = connection_from(params, nsip=nsip, other_password=other_password, wrote=wrote)
    return NitroClient(_enterable(connection))


def probe_from(
    params: Mapping[str, Any], nsip: str, connect_timeout: float, gate: LoginGate | None = None
) -> NitroClient:
    """Return a client for an appliance that may be dead or slow, without sending anything. Raises NitroInputError.

    ``connect_timeout``: seconds after which one that accepts no connection counts as not there. Its logins are bounded,
    and a session that has to be left behind ends soon. ``gate``: of all clients for this appliance in a process.
    """
    connection = connection_from(params, nsip=nsip)
    quick = min(connect_timeout, connection.timeout)
    brief = replace(connection, connect_timeout=quick, idle_timeout=IDLE_SECONDS)
    return NitroClient(_enterable(brief), gate=gate or LoginGate())


def _enterable(connection: Connection) -> Connection:
    if connection.password is None and connection.token is None:
        raise NitroInputError(f"{connection.nsip}: give nitro_pass or nitro_auth_token")
    return connection


def require_requests(module: AnsibleModule) -> None:
    """Fail with Ansible's usual message when the ``requests`` library is not there."""
    if not HAS_REQUESTS:
        module.fail_json(msg=missing_required_lib("requests"))


def run(module: AnsibleModule, work: Callable[[], boundary.Result]) -> NoReturn:
    """Do ``work`` and end the task with its result, or with the message of its Failure.

    A result with ``msg`` is a failure that says how far the task came.
    """
    require_requests(module)
    boundary.end(module, work)
