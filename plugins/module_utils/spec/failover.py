# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of role ha_failover: validated once, all problems at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .variables import Field, Kind, read_variables

FIELDS: dict[str, Field] = {
    "ha_failover_mode": Field(Kind.CHOICE, "planned", choices=("planned", "reconcile")),
    "ha_failover_name": Field(Kind.TEXT, "", required=True),
    "ha_failover_region": Field(Kind.TEXT, ""),
    "ha_failover_elastic_ips": Field(Kind.TEXTS, ()),
    "ha_failover_password": Field(Kind.CONFIDENTIAL, ""),
    "ha_failover_nitro_user": Field(Kind.TEXT, "nsroot"),
    "ha_failover_nitro_protocol": Field(Kind.CHOICE, "https", choices=("http", "https")),
    "ha_failover_nitro_port": Field(Kind.PORT, 443),
    "ha_failover_validate_certs": Field(Kind.FLAG, True),
    "ha_failover_ca_path": Field(Kind.PATH, ""),
    "ha_failover_to": Field(Kind.INTEGER, -1, least=-1, most=1),
    "ha_failover_ignore_guard": Field(Kind.FLAG, False),
    "ha_failover_probe_timeout": Field(Kind.SECONDS, 1.0),
    "ha_failover_settle_timeout": Field(Kind.SECONDS, 10.0),
    "ha_failover_timeout": Field(Kind.SECONDS, 30.0),
}


def failover_definition(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``definition`` (the variables without the role's prefix and without secrets) and all ``problems``."""
    values, problems = read_variables("ha_failover", FIELDS, variables)
    secrets = {name for name, field in FIELDS.items() if field.kind is Kind.CONFIDENTIAL}
    definition = {name.removeprefix("ha_failover_"): value for name, value in values.items() if name not in secrets}
    return {"definition": definition, "problems": problems}
