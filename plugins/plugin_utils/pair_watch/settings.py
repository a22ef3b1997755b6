# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The arguments of event source ha_watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...module_utils.core.fingerprints import Pins
from ...module_utils.nitro.client import Connection
from ...module_utils.nitro.logins import IDLE_SECONDS, LOGIN_SECONDS
from ...module_utils.spec.alerts import Targets
from ..arguments import (
    AWS,
    NITRO,
    AwsAccess,
    Given,
    alerts_from,
    aws_from,
    connection_at,
    nitro_from,
    pins_from,
    store_from,
)
from .events import Lasting

_LASTING = frozenset(("lost_after", "returned_after", "astray_after", "no_primary_after"))
_OWN = frozenset(("group", "elastic_ips", "interval", "timeout", "aws_interval", "nitro_pass_file"))
_REPAIR = frozenset(("repair", "store", "client_ports", "alerts"))
ARGUMENTS = NITRO | AWS | _LASTING | _OWN | _REPAIR


@dataclass(frozen=True, slots=True)
class Settings:
    """The pair to watch, the intervals of the queries (seconds), and how long a condition must last to cause an event.

    ``repair``: move the Elastic IPs in this process; ``store``: whose lease keeps other watchers from doing the same at
    the same time, and which keeps the events; ``client_ports``: at which clients reach the Elastic IPs; ``alerts``:
    where events are published.
    """

    group: str
    nitro: Connection
    aws: AwsAccess
    elastic_ips: tuple[str, ...] = ()
    nitro_port: int | None = None
    nitro_pass_file: str | None = None
    interval: float = 1.0
    aws_interval: float = 30.0
    lasting: Lasting = field(default_factory=Lasting)
    repair: bool = False
    store: Mapping[str, Any] | None = None
    client_ports: tuple[int, ...] = ()
    pins: Pins = field(default_factory=Pins)
    alerts: Targets = field(default_factory=Targets)


def present(settings: Settings, endpoint: str) -> Connection:
    """How the appliance at an endpoint is entered now: a password from a file may have been changed meanwhile.

    Raises SettingsError if the file cannot be read.
    """
    return connection_at(settings.nitro, endpoint, settings.nitro_pass_file, settings.pins)


def settings_from(given: Given) -> Settings:
    """Parse arguments and environment. Raises SettingsError with a message that holds no secret."""
    given.only("ha_watch", ARGUMENTS)
    timeout = given.seconds("timeout", 1.0, least=0.1, most=5.0)
    usual = Lasting()
    return Settings(
        group=given.needed("group"),
        nitro=replace(nitro_from(given, timeout, timeout), login_timeout=LOGIN_SECONDS, idle_timeout=IDLE_SECONDS),
        aws=aws_from(given),
        elastic_ips=given.words("elastic_ips"),
        nitro_port=given.port("nitro_port"),
        nitro_pass_file=given.text("nitro_pass_file", "") or None,
        interval=given.seconds("interval", 1.0, least=0.1),
        aws_interval=given.seconds("aws_interval", 30.0, least=1.0),
        lasting=Lasting(
            lost=given.seconds("lost_after", usual.lost),
            returned=given.seconds("returned_after", usual.returned),
            misplaced=given.seconds("astray_after", usual.misplaced),
            no_primary=given.seconds("no_primary_after", usual.no_primary),
        ),
        repair=given.flag("repair", False, env=""),
        store=store_from(given.args["store"]) if given.args.get("store") else None,
        client_ports=given.ports("client_ports"),
        pins=pins_from(given),
        alerts=alerts_from(given),
    )
