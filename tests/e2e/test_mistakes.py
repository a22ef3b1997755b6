"""Typical mistakes of the first hour, each with its message, before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.reader import Reader

NO_FILE = "give variables with -e @{} (without the @, Ansible does not read the file)"
PAIR, SHOP = ("-e", "@pair.yml"), ("-e", "@shop.yml")
#: Longest message that is still one that a person reads; Ansible's own around it included.
LONGEST = 2000


class Mistake(NamedTuple):
    """A command, and what its message must contain."""

    playbook: str
    arguments: tuple[str, ...]
    message: str
    environment: tuple[tuple[str, str], ...] = ()


MISTAKES = {
    "no variables": Mistake("ha_pair", (), "ha_pair_name is not set: " + NO_FILE.format("pair.yml")),
    "forgotten @": Mistake("ha_pair", ("-e", "pair.yml"), "ha_pair_name is not set: " + NO_FILE.format("pair.yml")),
    "group without variables": Mistake(
        "autoscale_group", (), "autoscale_group_name is not set: " + NO_FILE.format("shop.yml")
    ),
    "failover without variables": Mistake(
        "ha_failover", (), "ha_failover_name is not set: " + NO_FILE.format("pair.yml")
    ),
    "tick without variables": Mistake(
        "autoscale", (), "autoscale_group_name is not set: " + NO_FILE.format("shop.yml")
    ),
    "preflight without variables": Mistake("preflight", (), "autoscale_group_name is not set"),
    "report without variables": Mistake("report", (), "report_group is not set"),
    "scale out without zone": Mistake("scale_out", SHOP, "the zone with -e scale_out_zone=eu-central-1a"),
    "empty environment": Mistake(
        "ha_pair", PAIR, "ha_pair_password, the password of both nodes, is missing", (("VPX_PASSWORD", ""),)
    ),
    "wrong region": Mistake(
        "ha_pair",
        (*PAIR, "-e", "ha_pair_region=us-east-1"),
        "None of the 6 subnets exists in region us-east-1 of account 123456789012: nothing of this definition is there",
    ),
    "group in wrong region": Mistake(
        "autoscale_group",
        (*SHOP, "-e", "autoscale_group_region=us-east-1"),
        "None of the 6 subnets exists in region us-east-1 of account 123456789012",
    ),
    "text for a list": Mistake(
        "ha_pair",
        (*PAIR, "-e", "ha_pair_nodes=subnet-1,subnet-2"),
        "ha_pair_nodes must be a list of dictionaries, not 'subnet-1,subnet-2'",
    ),
    "host bits and IPv6": Mistake(
        "ha_pair",
        (*PAIR, "-e", "ha_pair_client_cidrs=10.0.0.1/8,::/0"),
        "10.0.0.1/8 has host bits set; the network is 10.0.0.0/8. ha_pair_client_cidrs: ::/0 is an IPv6 network",
    ),
    "no file of authorities": Mistake(
        "autoscale_group",
        (*SHOP, "-e", "autoscale_group_ca_path=/nowhere/ca.pem"),
        "autoscale_group_ca_path: /nowhere/ca.pem does not exist on the controller",
    ),
    "file that holds no certificate": Mistake(
        "ha_pair", (*PAIR, "-e", f"ha_pair_ca_path={Path(__file__)}"), "holds no certificate in PEM form"
    ),
    "odd name": Mistake(
        "ha_pair", (*PAIR, "-e", '{"ha_pair_name": "böse \'\\\\ name!"}'), "ha_pair_name names an IAM role"
    ),
    "braces in a password": Mistake(
        "ha_pair", (*PAIR, "-e", '{"ha_pair_password": "a{{b"}'), "Variable ha_pair_password cannot be templated"
    ),
    "odd tag": Mistake(
        "ha_pair",
        (*PAIR, "-e", '{"ha_pair_tags": {"owner": "a \\"b\\" \\\\"}}'),
        "ha_pair_tags.owner: AWS does not accept",
    ),
    "misspelt variable": Mistake(
        "ha_pair", (*PAIR, "-e", "ha_pair_elastic_ip=192.0.2.1"), "Did you mean ha_pair_elastic_ips?"
    ),
    "wrong type": Mistake(
        "autoscale",
        (*SHOP, "-e", "autoscale_group_policy=fast"),
        "autoscale_group_policy must be a dictionary, not 'fast'",
    ),
    "unknown zone": Mistake(
        "autoscale",
        (*SHOP, "-e", "autoscale_zones=eu-central-1z"),
        "autoscale_zones names eu-central-1z, which autoscale_group_zones does not (eu-central-1a, eu-central-1b)",
    ),
    "scale out of an unknown zone": Mistake(
        "scale_out", (*SHOP, "-e", "scale_out_zone=eu-central-1z"), "names eu-central-1z"
    ),
    "unknown application": Mistake("application", (*SHOP, "-e", "application_name=webb"), "names no application webb"),
    "unknown mode": Mistake(
        "ha_failover", (*PAIR, "-e", "ha_failover_mode=reconsile"), "ha_failover_mode must be one of planned, reconcile"
    ),
    "pair that does not exist": Mistake("ha_failover", (*PAIR, "-e", "ha_failover_name=unknown"), "unknown"),
}


def messages(text: str) -> str:
    """Return the lines that name what is wrong; Ansible shows the place in the playbook besides."""
    return "".join(line for line in text.splitlines() if line.startswith(("fatal:", "failed:", "[ERROR]")))


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_reported_in_one_message_before_the_first_write(reader: Reader, name: str) -> None:
    mistake = MISTAKES[name]
    answer = reader.play(mistake.playbook, *mistake.arguments, **dict(mistake.environment))
    assert answer.code == 2, answer.text
    assert mistake.message in answer.message.replace('\\"', '"')
    assert answer.writes == []
    assert len(messages(answer.text)) < LONGEST, answer.text
