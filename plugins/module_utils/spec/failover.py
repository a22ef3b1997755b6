# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of role ha_failover: normalised, and all that is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.fingerprints import PIN, VERIFY
from .reading import Reader, not_set

PREFIX = "ha_failover_"
PLAIN = (
    *("mode", "name", "region", "elastic_ips", "nitro_user", "nitro_protocol", "nitro_port", "validate_certs"),
    *("management_tls", "ca_path", "to", "ignore_guard", "probe_timeout", "settle_timeout", "timeout", "evidence"),
)
SECRET = ("password",)
VARIABLES = tuple(f"{PREFIX}{name}" for name in (*PLAIN, *SECRET))


def read_failover(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the variables without prefix and without secrets, and one message for each problem."""
    problems: list[str] = []
    plain = {name.removeprefix(PREFIX): value for name, value in variables.items() if name.startswith(PREFIX)}
    reader = Reader(plain, problems, PREFIX, SECRET)
    reader.unknown_variables("ha_failover", VARIABLES, variables)
    if not reader.given("name"):
        problems.append(not_set(f"{PREFIX}name", "pair.yml"))
    reader.text("password")
    definition = {
        "mode": reader.choice("mode", ("planned", "reconcile"), "planned"),
        "name": reader.text("name"),
        "region": reader.text("region"),
        "elastic_ips": reader.texts("elastic_ips"),
        "nitro_user": reader.text("nitro_user", "nsroot"),
        "nitro_protocol": reader.choice("nitro_protocol", ("http", "https"), "https"),
        "nitro_port": reader.port("nitro_port", 443),
        "validate_certs": reader.flag("validate_certs", True),
        "ca_path": reader.authorities("ca_path"),
        "management_tls": reader.choice("management_tls", (VERIFY, PIN), VERIFY),
        "to": reader.whole("to", -1, -1, 1),
        "ignore_guard": reader.flag("ignore_guard", False),
        "probe_timeout": reader.seconds("probe_timeout", 1.0),
        "settle_timeout": reader.seconds("settle_timeout", 10.0),
        "timeout": reader.seconds("timeout", 30.0),
        "evidence": reader.mapping("evidence"),
    }
    return definition, problems
