"""The variables of role ha_failover."""

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.failover import VARIABLES, read_failover

ROLE = Path(__file__).parents[5] / "roles" / "ha_failover"


def test_the_fields_are_the_options_of_the_role() -> None:
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert set(VARIABLES) == set(options)


def test_everything_wrong_is_told_at_once() -> None:
    _definition, problems = read_failover(
        {"ha_failover_mode": "recncile", "ha_failover_nitro_port": "telnet", "ha_failover_elastic_ip": "203.0.113.9"}
    )
    assert problems == [
        "The role ha_failover has no variable ha_failover_elastic_ip. Did you mean ha_failover_elastic_ips?",
        "ha_failover_name is not set: give variables with -e @pair.yml "
        "(without the @, Ansible does not read the file).",
        "ha_failover_mode must be one of planned, reconcile, not 'recncile'.",
        "ha_failover_nitro_port must be a port (1 to 65535), not 'telnet'.",
    ]


def test_the_definition_holds_no_secret() -> None:
    definition, problems = read_failover({"ha_failover_name": "shop", "ha_failover_password": "hidden-1"})
    assert problems == []
    assert definition["name"] == "shop"
    assert definition["mode"] == "planned"
    assert "hidden-1" not in str(definition)
