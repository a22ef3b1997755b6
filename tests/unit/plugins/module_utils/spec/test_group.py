"""The definition of an autoscale group: defaults, every problem at once, and no secret in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import (
    SECRET,
    VARIABLES,
    read_group,
    read_scale_out,
)
from tests.certificates import issue

from .groups import POLICY, WEB, ZONE, variables

ROLE = Path(__file__).parents[5] / "roles" / "autoscale_group"
OTHER = {**ZONE, "name": "eu-central-1b"}


def problems(**changes: Any) -> list[str]:
    return read_group(variables(**changes))[1]


def test_complete_definition_has_no_problem() -> None:
    definition, wrong = read_group(variables())
    assert wrong == []
    assert definition["nitro_port"] == 443
    assert definition["client_cidrs"] == ["0.0.0.0/0"]
    assert definition["policy"]["distributor"] == "nlb"
    assert definition["zones"][0]["clip"] == ""


def test_variables_are_those_of_the_argument_specification() -> None:
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert set(options) == VARIABLES


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"zone_list": []}, ["The role autoscale_group has no variable autoscale_group_zone_list."]),
        ({"name": "x" * 33}, ["at most 32 letters"]),
        ({"name": "shop-"}, ["no hyphen at either end"]),
        ({"name": "internal-shop"}, ["not beginning with internal-"]),
        ({"name": None}, ["autoscale_group_name is not set: give variables with -e @shop.yml"]),
        ({"zones": []}, ["autoscale_group_zones must name at least one zone."]),
        ({"zones": "eu-central-1a"}, ["autoscale_group_zones must be a list of dictionaries, not 'eu-central-1a'."]),
        ({"zones": [ZONE, ZONE]}, ["autoscale_group_zones names eu-central-1a more than once."]),
        ({"zones": [{**ZONE, "client_subnet_id": ""}]}, ["Zone eu-central-1a has no client_subnet_id."]),
        ({"zones": [{**ZONE, "subnet": "x"}]}, ["Zone eu-central-1a has no key subnet;"]),
        ({"zones": [{**ZONE, "client_subnet_id": "subnet-m"}]}, ["the subnet of a data interface; a VPX needs them"]),
        ({"topology": "cluster"}, ["Zone eu-central-1a has no clip, the address of its cluster."]),
        ({"zones": [{**ZONE, "clip": "10.0.1.9"}]}, ["has a clip, but autoscale_group_topology is independent."]),
        (
            {"topology": "cluster", "zones": [{**ZONE, "clip": "10.0.1.9"}, {**OTHER, "clip": "10.0.1.9"}]},
            ["The clip 10.0.1.9 is given to more than one zone."],
        ),
        (
            {"topology": "cluster", "zones": [{**ZONE, "clip": "10.0.1"}]},
            ["Zone eu-central-1a: clip 10.0.1 is not an IP address."],
        ),
        (
            {"nlb_scheme": "internal", "zones": [{**ZONE, "nlb_allocation_id": "eipalloc-1"}]},
            ["has an nlb_allocation_id, but autoscale_group_nlb_scheme is internal"],
        ),
        (
            {"zones": [{**ZONE, "nlb_private_ip_address": "10.0.2.9"}]},
            ["has an nlb_private_ip_address, but autoscale_group_nlb_scheme is internet-facing"],
        ),
        ({"image_id": ""}, ["autoscale_group_image_id, the VPX image, is missing."]),
        ({"password": None}, ["autoscale_group_password, the password of all nodes, is missing."]),
        ({"store": {}}, ["autoscale_group_store, where the state of each zone is kept, is missing."]),
        ({"store": {"type": "dynamodb"}}, ["autoscale_group_store has no table, which type dynamodb needs."]),
        ({"policy": {**POLICY, "min_nodes": 5}}, ["autoscale_group_policy: min_nodes 5 is above max_nodes 4."]),
        ({"policy": {**POLICY, "distributor": "dns"}}, ["autoscale_group_policy.distributor is dns, but"]),
        ({"policy": "fast"}, ["autoscale_group_policy must be a dictionary, not 'fast'."]),
        (
            {"topology": "cluster", "zones": [{**ZONE, "clip": "10.0.1.9"}], "policy": {**POLICY, "max_nodes": 33}},
            ["autoscale_group_policy.max_nodes is 33, but a cluster has 32 nodes at most"],
        ),
        ({"distributor": "elb"}, ["autoscale_group_distributor must be one of nlb, dns, not 'elb'."]),
        ({"distributor": "dns"}, ["autoscale_group_dns names neither zone nor hosted_zone_id"]),
        ({"dns": {"zone": "example.com", "hosted_zone_id": "Z1"}}, ["has both zone and hosted_zone_id; give one"]),
        ({"console": {"profile": "aws"}}, ["autoscale_group_console has no adm_url, the address of the console."]),
        ({"console": {"adm_url": "https://x"}}, ["autoscale_group_console has no profile, the device profile"]),
        ({"nitro_port": "https"}, ["autoscale_group_nitro_port must be a whole number from 1 to 65535, not 'https'."]),
        ({"validate_certs": "perhaps"}, ["autoscale_group_validate_certs must be true or false, not 'perhaps'."]),
        ({"client_cidrs": "10.0.0.0/8, 1.2.3.4"}, ["1.2.3.4 has no prefix length; for one address write 1.2.3.4/32."]),
        ({"client_cidrs": ["10.0.0.1/8"]}, ["10.0.0.1/8 has host bits set; the network is 10.0.0.0/8."]),
        ({"management_cidrs": ["::/0"]}, ["::/0 is an IPv6 network; IPv4 networks are supported."]),
        ({"backend_cidrs": ["everywhere"]}, ["everywhere is not a network in CIDR notation"]),
        ({"features": {"LB": True}}, ["autoscale_group_features must be a list of texts, not a dictionary."]),
        ({"return_path": "luck"}, ["autoscale_group_return_path must be one of mbf, pbr, none, not 'luck'."]),
        ({"tags": {"team": ["a"]}}, ["autoscale_group_tags.team must be a text."]),
        ({"image_id": "", "zones": []}, ["autoscale_group_image_id", "autoscale_group_zones must name at least one"]),
    ],
)
def test_every_problem_is_reported(changes: dict[str, Any], messages: list[str]) -> None:
    found = problems(**changes)
    for message in messages:
        assert any(message in one for one in found), found


def test_text_is_split_at_commas_and_never_by_letters() -> None:
    definition, wrong = read_group(variables(client_cidrs="10.0.0.0/8, 192.168.0.0/16", features="LB,SSL"))
    assert wrong == []
    assert definition["client_cidrs"] == ["10.0.0.0/8", "192.168.0.0/16"]
    assert definition["features"] == ["LB", "SSL"]


def test_removal_needs_the_name_only() -> None:
    definition, wrong = read_group({"autoscale_group_name": "shop", "autoscale_group_state": "absent"})
    assert (wrong, definition["zones"], definition["applications"]) == ([], [], [])


def test_definition_holds_no_secret() -> None:
    secret = "do-not-show"
    issued = issue()
    definition, wrong = read_group(
        variables(
            password=secret,
            license={"server": "10.0.0.9", "bandwidth": 10, "edition": "Premium", "password": secret},
            console={"adm_url": "https://x", "profile": "p", "adm_user": "u", "adm_password": secret},
            applications=[
                {
                    **WEB,
                    "certificate": {"content": issued.fullchain, "key": issued.key},
                    "monitor": {"password": secret},
                }
            ],
        )
    )
    assert wrong == []
    assert secret not in json.dumps(definition)
    assert issued.key.split("\n")[1] not in json.dumps(definition)
    assert set(SECRET) >= {"password", "license"}


@pytest.mark.parametrize("name", ["password", "license", "console", "applications"])
def test_message_about_a_secret_does_not_quote_it(name: str) -> None:
    wrong = problems(**{name: 12345678 if name == "password" else "do-not-show"})
    assert wrong
    assert not any("do-not-show" in one or "12345678" in one for one in wrong)


@pytest.mark.parametrize(
    ("zone", "nodes", "message"),
    [
        ("eu-central-1a", 2, None),
        ("eu-central-1a", "4", None),
        ("eu-central-1c", 2, "shop has no zone eu-central-1c; it has eu-central-1a."),
        ("eu-central-1a", 5, "5 nodes were requested, and autoscale_group_policy.max_nodes is 4."),
        ("eu-central-1a", 0, "0 nodes were requested"),
        ("eu-central-1a", "many", "many nodes were requested"),
    ],
)
def test_request_to_scale_out(zone: str, nodes: object, message: str | None) -> None:
    definition, wrong = read_scale_out(variables(), zone, nodes)
    assert (message is None) == (not wrong)
    assert not message or message in wrong[0]
    assert read_scale_out({}, zone, nodes, definition)[1] == wrong
