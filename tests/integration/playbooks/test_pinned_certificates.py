"""A pair whose appliances have the self-signed certificates of a stock VPX: pinned at the first contact."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.client import LabClient
from tests.stage import Run, Stage

TAG = "cloudadc:management_fingerprint"


@pytest.fixture(scope="module")
def stage(lab: LabClient) -> Iterator[Stage]:
    """The session's lab, empty and fast, whose appliances have certificates of their own."""
    lab.reset()
    lab.pace(300)
    lab.settings(nitro={"self_signed": True})
    yield Stage(lab, quick=True)
    lab.reset()


def play(stage: Stage, playbook: str, *options: str, must_succeed: bool = True, **values: Any) -> Run:
    given = json.dumps({"ha_pair_management_tls": "pin", "ha_pair_ca_path": "", **values})
    return stage.play(playbook, "-e", given, *options, must_succeed=must_succeed)


def instances(lab: LabClient) -> list[dict[str, Any]]:
    """The instances of the pair by node id."""
    filters = [{"Name": "tag:cloudadc:group", "Values": ["lab-pair"]}]
    found = lab.boto("ec2").describe_instances(Filters=filters)["Reservations"]
    listed = [one for reservation in found for one in reservation["Instances"] if one["State"]["Name"] == "running"]
    return sorted(listed, key=lambda one: tags(one)["cloudadc:node_id"])


def tags(instance: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


def presented(lab: LabClient, instance: dict[str, Any]) -> str:
    """The fingerprint of the certificate that the appliance has now, found without the collection's code."""
    pem = ssl.get_server_certificate((instance["PrivateIpAddress"], lab.nitro_port))
    digits = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


@pytest.mark.timeout(600)
def test_verification_refuses_self_signed_certificates(stage: Stage) -> None:
    run = stage.play("ha_pair", must_succeed=False)
    assert run.code == 2
    assert "its certificate is not trusted by" in " ".join(run.text().split())
    assert not any(call.op == "POST /config/login" for call in stage.lab.calls(0))


@pytest.mark.timeout(600)
def test_pair_is_built_with_certificates_pinned_at_the_first_contact(stage: Stage) -> None:
    lab = stage.lab
    play(stage, "ha_pair")
    nodes = instances(lab)
    pins = [tags(one)[TAG] for one in nodes]
    assert pins == [presented(lab, one) for one in nodes]
    assert pins[0] != pins[1]
    assert play(stage, "ha_pair").changed() == 0
    play(stage, "ha_failover", "-e", "ha_failover_mode=reconcile")
    play(stage, "status", "-e", "status_fail=true")


@pytest.mark.timeout(600)
def test_changed_certificate_is_refused_until_it_is_accepted(stage: Stage) -> None:
    lab = stage.lab
    first = instances(lab)[0]
    old = tags(first)[TAG]
    lab.settings(nitro={"new_certificates": [first["InstanceId"]]})
    new = presented(lab, first)
    assert new != old
    writes = len(lab.writes())
    run = play(stage, "ha_pair", must_succeed=False)
    message = " ".join(run.text().split())
    assert run.code == 2
    assert f"its certificate has the SHA-256 fingerprint {new}, and the pinned one is {old}" in message
    assert "ha_pair_accept_fingerprints" in message
    assert lab.writes()[writes:] == []
    assert tags(instances(lab)[0])[TAG] == old

    play(stage, "ha_pair", ha_pair_accept_fingerprints=[new.lower().replace(":", "")])
    assert tags(instances(lab)[0])[TAG] == new
    assert play(stage, "ha_pair").changed() == 0
