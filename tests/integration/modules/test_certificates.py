"""Certificates with their chain on single appliances, pairs and clusters of a lab."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.certificates import digest
from tests.certificates import Issued, encrypted, issue
from tests.integration.modules.appliances import PASSWORD, Box, Ran
from tests.integration.modules.test_vpx_cluster_node import cluster_of
from tests.integration.modules.test_vpx_cluster_node import managed as cluster_nodes
from tests.integration.modules.test_vpx_ha_node import formed, managed
from tests.lab.client import LabClient

FIRST = issue(chain=2)
RENEWED = issue(serial=2, chain=2)
MOVED = issue(serial=3, chain=1, issuer="Other")
LATER = {"file_sync_seconds": 3600.0}


def application(box: Box, issued: Issued, *, check: bool = False, name: str = "web", **options: Any) -> Ran:
    given: dict[str, Any] = {
        "name": name,
        "protocol": "SSL",
        "port": 8443,
        "virtual_ip": "127.200.2.10",
        "backends": [{"address": "127.200.3.1", "port": 8000}],
        "certificate": {"content": issued.fullchain, "key": issued.key},
    }
    box.options = {"nitro_pass": PASSWORD}
    ran = box.run("vpx_application", check=check, **{**given, **options})
    for secret in (PASSWORD, "geheim", issued.key.split("\n")[1]):
        assert secret not in str(ran.result)
    return ran


def done(ran: Ran) -> Ran:
    assert not ran["failed"], ran.result
    return ran


def links(box: Box) -> dict[str, str]:
    rows = box.state()["running"].get("sslcertkey", [])
    return {row["certkey"]: row.get("linkcertkeyname", "") for row in rows}


def authorities(issued: Issued) -> list[str]:
    return [f"cloudadc-ca-{digest(each)}" for each in issued.chain]


def ssl(box: Box) -> Box:
    box.options = {}
    assert not box.bootstrap(features=["LB", "SSL"])["failed"]
    return box


@pytest.fixture
def box(fresh_lab: LabClient) -> Box:
    return ssl(managed(fresh_lab, "a")[0])


def test_a_fullchain_is_installed_linked_renewed_in_place_and_removed(box: Box) -> None:
    one, two = authorities(FIRST)
    done(application(box, FIRST))
    assert links(box) == {"web-cert": one, one: two, two: ""}
    assert done(application(box, FIRST)).writes == []

    renewed = done(application(box, RENEWED))
    assert [write for write in renewed.writes if "sslcertkey" in write] == ["POST /config/sslcertkey?action=update"]
    assert links(box) == {"web-cert": one, one: two, two: ""}

    done(application(box, MOVED))
    assert links(box) == {"web-cert": authorities(MOVED)[0], authorities(MOVED)[0]: ""}
    assert len(box.state()["running"]["systemfile"]) == 3
    assert done(application(box, MOVED)).writes == []

    done(application(box, MOVED, state="absent"))
    assert (links(box), box.state()["running"].get("systemfile", [])) == ({}, [])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"content": FIRST.fullchain, "key": MOVED.key}, "does not belong to the first certificate (CN=web.example)"),
    ({"content": FIRST.certificate + MOVED.chain[0], "key": FIRST.key}, "is not the issuer of the one before it"),
    ({"content": FIRST.fullchain, "key": encrypted(FIRST.key, "x")}, "give its certificate.passphrase"),
    (
        {"content": FIRST.fullchain, "key": encrypted(FIRST.key, "x"), "passphrase": "geheim"},
        "certificate.passphrase does not open certificate.key",
    ),
    ({"content": "text", "key": FIRST.key}, "must hold a certificate in PEM form"),
]


def test_what_does_not_belong_together_is_refused_before_the_first_write(box: Box) -> None:
    for certificate, message in REFUSED:
        for check in (False, True):
            refused = application(box, FIRST, certificate=certificate, check=check)
            assert refused["failed"]
            assert message in refused["msg"]
            assert refused.writes == []


def test_an_encrypted_key_is_installed_with_its_passphrase(box: Box) -> None:
    certificate = {"content": FIRST.fullchain, "key": encrypted(FIRST.key, "geheim"), "passphrase": "geheim"}
    done(application(box, FIRST, certificate=certificate))
    assert "web-cert" in links(box)
    assert done(application(box, FIRST, certificate=certificate)).writes == []


def test_an_expired_certificate_is_a_warning(box: Box) -> None:
    ran = done(application(box, issue(serial=4, days=-3, chain=0)))
    assert "the certificate of CN=web.example expired on" in str(ran["warnings"])


def test_two_applications_share_a_certificate_by_its_name(box: Box) -> None:
    done(application(box, FIRST))
    refused = application(box, FIRST, name="api", port=8444)
    assert "certkey 'web-cert' on this appliance holds the same certificate" in refused["msg"]
    assert refused.writes == []
    done(application(box, FIRST, state="absent"))
    shared = {"content": FIRST.fullchain, "key": FIRST.key, "name": "wildcard"}
    for name, port in (("web", 8443), ("api", 8444)):
        done(application(box, FIRST, name=name, port=port, certificate=shared))
    done(application(box, FIRST, state="absent"))
    assert "wildcard" in links(box)
    done(application(box, FIRST, name="api", state="absent"))
    assert links(box) == {}


@pytest.fixture
def pair(fresh_lab: LabClient) -> tuple[Box, Box]:
    """Primary and secondary in sync, whose files travel once an hour."""
    one, other = managed(fresh_lab, "ab")
    options = dict(one.options)
    ssl(one)
    one.options = options
    formed(one.run("vpx_ha_node", peer=other.address))
    formed(other.run("vpx_ha_node", peer=one.address, wait=True))
    fresh_lab.settings(nitro=LATER)
    return one, other


def test_both_nodes_of_a_pair_have_the_certificate_although_files_travel_later(pair: tuple[Box, Box]) -> None:
    one, other = pair
    made = done(application(one, FIRST, certificate_nodes=[one.nsip, other.nsip]))
    assert made.writes.count("POST /config/hafiles?action=sync") == 1
    assert "POST /config/hasync?action=Force" not in made.writes
    assert links(other) == links(one)
    again = done(application(one, FIRST, certificate_nodes=[one.nsip, other.nsip]))
    assert (again["changed"], again.writes) == (False, [])
    done(application(one, RENEWED, certificate_nodes=[other.nsip]))
    files = [
        row["cert"] for node in pair for row in node.state()["running"]["sslcertkey"] if row["certkey"] == "web-cert"
    ]
    assert len(set(files)) == 1


def test_a_secondary_that_lacks_the_certificate_is_synchronised(pair: tuple[Box, Box]) -> None:
    """What an earlier release left: the command came before the file and failed on the secondary."""
    one, other = pair
    done(application(one, FIRST))
    other.options = {"nitro_pass": PASSWORD}
    with NitroClient(Connection(other.nsip, password=PASSWORD, ca_path=other.lab.ca_path)) as client:
        client.delete("lbvserver", "web")
        client.delete("sslcertkey", "web-cert")
    repaired = done(application(one, FIRST, certificate_nodes=[other.nsip]))
    assert repaired["changed"]
    assert repaired.writes[:2] == ["POST /config/hafiles?action=sync", "POST /config/hasync?action=Force"]
    assert "web-cert" in links(other)
    assert done(application(one, FIRST, certificate_nodes=[other.nsip])).writes == []


def test_a_secondary_that_is_down_is_a_warning(pair: tuple[Box, Box]) -> None:
    one, other = pair
    done(application(one, FIRST))
    other.lab.power(other.instance_id, on=False)
    ran = done(application(one, FIRST, certificate_nodes=[other.nsip]))
    assert "whether it has the certificate is not known" in str(ran["warnings"])


def test_every_node_of_a_cluster_has_the_certificate(fresh_lab: LabClient) -> None:
    boxes = cluster_nodes(fresh_lab, 2)
    clip = boxes[0].options["clip"]
    cluster_of(boxes)
    fresh_lab.settings(nitro=LATER)
    whole = Box(fresh_lab, boxes[0].instance_id, clip, {"nitro_pass": PASSWORD})
    assert not whole.run("vpx_bootstrap", new_password=PASSWORD, features=["LB", "SSL"])["failed"]
    made = done(application(whole, FIRST, certificate_nodes=[box.nsip for box in boxes]))
    assert made.writes.count("POST /config/clusterfiles?action=sync") == 1
    assert links(boxes[0]) == links(boxes[1])
    assert "web-cert" in links(boxes[1])
    assert done(application(whole, RENEWED, certificate_nodes=[box.nsip for box in boxes]))["changed"]
    assert done(application(whole, RENEWED, certificate_nodes=[box.nsip for box in boxes])).writes == []
