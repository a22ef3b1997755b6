"""An application: every problem as one message, ports and names that clash, and the table of protocols."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.distributors.nlb.names import target_group_name_problem
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import application as nitro
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.application import (
    Surroundings,
    read_applications,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.protocols import (
    PROTOCOLS,
    listener_protocol,
    transports,
)
from tests.certificates import issue

from .groups import WEB

WEB_CERT = issue(chain=2)
NLB = Surroundings(group="shop", distributor="nlb", zones=2)
DNS = Surroundings(group="shop", distributor="dns", zones=1, dns_zone="example.com")


def problems(*applications: dict[str, Any], around: Surroundings = NLB) -> list[str]:
    wrong: list[str] = []
    read_applications(applications, around, wrong)
    return wrong


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, None),
        ({"name": "my_web"}, "Application my_web: its name must consist of letters, digits and hyphens"),
        ({"name": ""}, "An application has no name."),
        ({"name": "a" * 30}, "and AWS allows 32 letters, digits and hyphens at most"),
        ({"protocol": "HTPP"}, "Application web: its protocol is HTPP, and must be one of HTTP,"),
        ({"protocol": None}, "Application web: its protocol is missing"),
        ({"port": 0}, "Application web: 0 is not a port (1 to 65535)."),
        ({"port": 99999}, "Application web: 99999 is not a port (1 to 65535)."),
        ({"port": None}, "Application web: port is missing."),
        ({"port": "8080"}, None),
        ({"prot": "HTTP"}, "Application web has no key prot;"),
        ({"backends": "10.0.0.1"}, "Application web: backends must be a list of dictionaries, not '10.0.0.1'."),
        ({"backends": [{"address": "10.0.0.1"}]}, "back end 10.0.0.1: port is missing."),
        (
            {"backends": [{"address": "10.0.0.1", "port": 80, "weight": 0}]},
            "weight must be a whole number from 1 to 100",
        ),
        ({"backend_autoscaling_group": "w", "backend_port": 80}, "it has both backends and backend_autoscaling_group"),
        ({"backends": [], "backend_autoscaling_group": "w"}, "backend_port, at which the instances of w answer, is"),
        ({"persistence": "SOURCEIP"}, "persistence SOURCEIP cannot hold over 2 zones"),
        ({"persistence": {"type": "SRCIPDESTIP", "timeout": 5}}, "persistence SRCIPDESTIP cannot hold over 2 zones"),
        ({"persistence": "COOKIEINSERT"}, None),
        ({"protocol": "UDP"}, "a load balancer cannot check the health of a UDP port"),
        ({"protocol": "UDP", "health_check": {"port": 80}}, None),
        ({"health_check": {"port": "http"}}, "health_check.port http is not a port"),
        ({"nlb_protocol": "TLS"}, "certificate_arn goes with protocol TLS and only with it."),
        ({"certificate_arn": "arn:aws:acm:x"}, "certificate_arn goes with protocol TLS and only with it."),
        ({"nlb_protocol": "SCTP"}, "nlb_protocol must be one of TCP, TLS, UDP, TCP_UDP, not SCTP."),
        ({"domain": "web.example.com"}, "autoscale_group_dns does not say in which hosted zone web.example.com is."),
        ({"preserve_client_ip": "maybe"}, "preserve_client_ip must be true or false, not 'maybe'."),
        ({"certificate": {"content": "x"}}, "certificate needs content and key in PEM format, or certkey"),
        ({"certificate": {"pem": "x"}}, "certificate has no key pem;"),
        ({"certificate": {"certkey": "web"}}, None),
        ({"certificate": {"content": WEB_CERT.fullchain, "key": WEB_CERT.key}}, None),
        ({"certificate": {"content": "x", "key": "y"}}, "certificate.content must hold a certificate in PEM form"),
        (
            {"certificate": {"content": WEB_CERT.fullchain, "key": issue("other").key}},
            "certificate.key does not belong to the first certificate (CN=web.example).",
        ),
        ({"monitor": ["x"]}, "monitor must be a name or a dictionary of its fields."),
    ],
)
def test_every_problem_is_reported(changes: dict[str, Any], message: str | None) -> None:
    found = problems({key: value for key, value in {**WEB, **changes}.items() if value is not None})
    assert (message is None) == (found == []), found
    assert message is None or any(message in one for one in found), found


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("web.example.com", None),
        ("web.EXAMPLE.com.", None),
        ("*.example.com", None),
        ("", "it has no domain, and DNS distributes its clients."),
        ("web.example.org", "domain web.example.org does not belong into the hosted zone example.com."),
        ("webexample.com", "does not belong into the hosted zone"),
        ("web example.com", "is not a domain name."),
    ],
)
def test_domain_of_an_application(domain: str, message: str | None) -> None:
    found = problems({**WEB, "domain": domain}, around=DNS)
    assert (message is None) == (found == []), found
    assert message is None or message in found[0]


@pytest.mark.parametrize(
    ("other", "around", "message"),
    [
        ({"name": "api"}, NLB, "Applications web and api both use tcp port 80."),
        ({"port": 81}, NLB, "Several applications are named web."),
        (
            {"name": "api", "protocol": "UDP", "health_check": {"port": 80}},
            NLB,
            "Applications web and api both use port 80, and a load balancer has one listener a port.",
        ),
        ({"name": "api", "protocol": "ANY", "domain": "a.example.com"}, DNS, "both use tcp port 80."),
        ({"name": "api", "protocol": "UDP", "domain": "a.example.com"}, DNS, None),
        ({"name": "api", "port": 81}, NLB, None),
    ],
)
def test_two_applications(other: dict[str, Any], around: Surroundings, message: str | None) -> None:
    web = {**WEB, "domain": "web.example.com"} if around is DNS else WEB
    found = problems(web, {**WEB, **other}, around=around)
    assert (message is None) == (found == []), found
    assert message is None or any(message in one for one in found), found


def test_pair_has_no_distributor_to_fit() -> None:
    assert problems({**WEB, "name": "web", "persistence": "SOURCEIP"}, around=Surroundings()) == []


def test_target_group_name_follows_the_rules_of_aws() -> None:
    assert target_group_name_problem("shop", "web") is None
    assert "has 33 characters" in str(target_group_name_problem("shop", "a" * 28))


def test_every_protocol_of_the_appliance_has_a_row() -> None:
    assert set(PROTOCOLS) == set(nitro.PROTOCOLS)


@pytest.mark.parametrize(
    ("protocol", "on_the_wire", "carried"),
    [
        ("HTTP", ("tcp",), "TCP"),
        ("SIP_UDP", ("udp",), "UDP"),
        ("DTLS", ("udp",), "UDP"),
        ("ANY", ("tcp", "udp"), "TCP_UDP"),
    ],
)
def test_protocol_decides_transport(protocol: str, on_the_wire: tuple[str, ...], carried: str) -> None:
    assert transports(protocol) == on_the_wire
    assert listener_protocol(protocol) == carried
    assert listener_protocol(protocol, "TLS") == "TLS"
    assert PROTOCOLS[protocol].datagram == (on_the_wire == ("udp",))
