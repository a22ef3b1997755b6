"""The definition of a pair: normalised once, everything wrong told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import VARIABLES, read_pair
from tests.certificates import issue

ROLE = Path(__file__).parents[5] / "roles" / "ha_pair"

NODES = [
    {"management_subnet_id": "subnet-a1", "client_subnet_id": "subnet-a2", "server_subnet_id": "subnet-a3"},
    {"management_subnet_id": "subnet-b1", "client_subnet_id": "subnet-b2", "server_subnet_id": "subnet-b3"},
]
GIVEN: dict[str, Any] = {
    "ha_pair_name": "shop",
    "ha_pair_image_id": "ami-1",
    "ha_pair_password": "hidden-1",
    "ha_pair_rpc_password": "hidden-2",
    "ha_pair_nodes": NODES,
}
WEB = {"name": "web", "protocol": "HTTP", "port": 80, "backends": [{"address": "10.0.9.1", "port": 8080}]}


def problems(**changes: Any) -> list[str]:
    return read_pair({**GIVEN, **{f"ha_pair_{name}": value for name, value in changes.items()}})[1]


def definition(**changes: Any) -> dict[str, Any]:
    found, wrong = read_pair({**GIVEN, **{f"ha_pair_{name}": value for name, value in changes.items()}})
    assert wrong == []
    return found


def test_the_variables_are_the_options_of_the_role() -> None:
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert set(VARIABLES) == set(options)


def test_defaults_are_those_of_the_role() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    found = definition()
    given = {name.removeprefix("ha_pair_"): value for name, value in defaults.items() if "{{" not in str(value)}
    known = {name: value for name, value in given.items() if name in found and name != "nodes"}
    assert {name: found[name] for name in known} == known
    assert found["ipset"] == "shop-vips"
    assert found["hello_interval"] is None


def test_a_pair_without_application_is_complete() -> None:
    assert definition()["applications"] == []
    assert definition(application={})["applications"] == []


@pytest.mark.parametrize("variables", [{"ha_pair_name": "shop"}, {**GIVEN, "ha_pair_nodes": 3, "ha_pair_image_id": ""}])
def test_removal_needs_the_name_only(variables: dict[str, Any]) -> None:
    found, wrong = read_pair({**variables, "ha_pair_state": "absent"})
    assert wrong == []
    assert (found["name"], found["state"]) == ("shop", "absent")


def test_removal_without_a_name_is_refused() -> None:
    assert read_pair({"ha_pair_state": "absent"})[1] == [
        "ha_pair_name is not set: give variables with -e @pair.yml (without the @, Ansible does not read the file)."
    ]


def test_application_is_an_alias_for_one_of_applications() -> None:
    second = {**WEB, "name": "mail", "port": 25}
    assert [entry["name"] for entry in definition(application=WEB)["applications"]] == ["web"]
    assert [entry["name"] for entry in definition(applications=[second], application=WEB)["applications"]] == [
        "mail",
        "web",
    ]


def test_the_definition_holds_no_secret() -> None:
    issued = issue()
    certificate = {"name": "c", "content": issued.fullchain, "key": issued.key}
    found = definition(
        applications=[{**WEB, "protocol": "SSL", "certificate": certificate, "monitor": {"secret": "hidden-5"}}],
        license={"mode": "pooled", "bandwidth": 10, "edition": "Premium", "password": "hidden-6"},
    )
    assert "hidden" not in str(found)
    assert issued.key.split("\n")[1] not in str(found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"elastic_ip": ["203.0.113.9"]}, "The role ha_pair has no variable ha_pair_elastic_ip. Did you mean"),
        ({"colour": "blue"}, "The role ha_pair has no variable ha_pair_colour. Its README.md"),
        ({"name": "my pair!"}, "ha_pair_name names an IAM role"),
        ({"name": "x" * 61}, "at most 60 letters"),
        ({"name": "sg-shop"}, "not beginning with sg-"),
        ({"state": "gone"}, "ha_pair_state must be one of present, absent, not 'gone'."),
        ({"nodes": []}, "ha_pair_nodes must name exactly two nodes; it names 0."),
        ({"nodes": [*NODES, NODES[0]]}, "it names 3."),
        ({"nodes": "subnet-a1,subnet-b1"}, "ha_pair_nodes must be a list of dictionaries, not 'subnet-a1,subnet-b1'."),
        ({"nodes": {"a": 1}}, "ha_pair_nodes must be a list of dictionaries, not a dictionary."),
        ({"nodes": [{**NODES[0], "clint_subnet_id": "x"}, NODES[1]]}, "Node 0 has no key clint_subnet_id"),
        ({"nodes": [{**NODES[0], "client_subnet_id": ""}, NODES[1]]}, "Node 0 has no client_subnet_id."),
        (
            {"nodes": [NODES[0], {**NODES[1], "client_subnet_id": "subnet-b1"}]},
            "The management interface of node 1 is in subnet-b1, the subnet of a data interface; a VPX",
        ),
        (
            {
                "elastic_ips": ["203.0.113.1", "203.0.113.2"],
                "applications": [WEB, {**WEB, "name": "web-2", "port": 81}],
            },
            "Application web-2 has the name of the virtual server of application web for a further Elastic IP.",
        ),
        ({"metadata_hop_limit": 65}, "ha_pair_metadata_hop_limit"),
        ({"http_tokens": "maybe"}, "ha_pair_http_tokens"),
        ({"image_id": ""}, "ha_pair_image_id, the VPX image, is missing."),
        ({"password": ""}, "ha_pair_password, the password of both nodes, is missing."),
        ({"rpc_password": None}, "ha_pair_rpc_password, for the channel between the nodes, is missing."),
        ({"password": ["hidden-9"]}, "ha_pair_password must be a text."),
        ({"license": "pooled"}, "ha_pair_license must be a dictionary."),
        ({"nitro_port": "telnet"}, "ha_pair_nitro_port must be a port (1 to 65535), not 'telnet'."),
        ({"nitro_port": True}, "ha_pair_nitro_port must be a port (1 to 65535), not True."),
        ({"validate_certs": "perhaps"}, "ha_pair_validate_certs must be true or false, not 'perhaps'."),
        ({"ca_path": "/nowhere/ca.pem"}, "ha_pair_ca_path: /nowhere/ca.pem does not exist on the controller."),
        ({"management_cidrs": ["10.0.0.1/16"]}, "10.0.0.1/16 has host bits set; the network is 10.0.0.0/16."),
        ({"client_cidrs": "2001:db8::/32"}, "2001:db8::/32 is an IPv6 network"),
        ({"management_cidrs": {"a": 1}}, "ha_pair_management_cidrs must be a list of texts, not a dictionary."),
        ({"features": [["LB"]]}, "ha_pair_features must be a list of texts, not a list."),
        ({"elastic_ips": "203.0.113.9,203.0.113.9"}, "ha_pair_elastic_ips names 203.0.113.9 more than once."),
        ({"tags": ["a"]}, "ha_pair_tags must be a dictionary, not a list."),
        ({"tags": {"a": {"b": 1}}}, "ha_pair_tags.a must be a text."),
        ({"boot_timeout": "soon"}, "ha_pair_boot_timeout must be a whole number of at least 1, not 'soon'."),
        ({"hello_interval": 5}, "ha_pair_hello_interval must be a whole number from 200 to 1000, not 5."),
        ({"return_path": "luck"}, "ha_pair_return_path must be one of mbf, pbr, none, not 'luck'."),
        ({"application": {**WEB, "port": 99999}}, "99999 is not a port (1 to 65535)."),
        ({"application": {**WEB, "protocol": "HTPP"}}, "its protocol is HTPP, and must be one of HTTP,"),
        ({"application": {"protocol": "HTTP", "port": 80}}, "An application has no name."),
        ({"application": {**WEB, "domain": "shop.example"}}, "Application web: a pair does not use domain."),
        ({"applications": "web"}, "ha_pair_applications must be a list of dictionaries."),
        ({"applications": [WEB], "application": WEB}, "Several applications are named web."),
        ({"applications": [WEB, {**WEB, "name": "w2"}]}, "Applications web and w2 both use tcp port 80."),
    ],
)
def test_what_cannot_be_used_is_told(changes: dict[str, Any], message: str) -> None:
    wrong = problems(**changes)
    assert any(message in problem for problem in wrong), wrong
    assert "hidden" not in str(wrong)


def test_everything_wrong_is_told_at_once() -> None:
    wrong = problems(name="my pair!", nodes=[], image_id="", nitro_port=0, inc="maybe", zzz=1)
    assert len(wrong) == 6


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        ({"elastic_ips": "203.0.113.9, eipalloc-1"}, "elastic_ips", ["203.0.113.9", "eipalloc-1"]),
        ({"features": "LB,SSL,CS"}, "features", ["LB", "SSL", "CS"]),
        ({"management_public": "yes"}, "management_public", True),
        ({"nitro_port": "8443"}, "nitro_port", 8443),
        ({"client_cidrs": []}, "client_cidrs", []),
        ({"tags": {"cost": 7}}, "tags", {"cost": "7"}),
        ({"hello_interval": "500"}, "hello_interval", 500),
    ],
)
def test_values_are_normalised(changes: dict[str, Any], key: str, value: Any) -> None:
    assert definition(**changes)[key] == value
