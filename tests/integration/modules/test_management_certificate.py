"""A management certificate on appliances that come with a self-signed one, as module vpx_bootstrap installs it."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Issued, issue
from tests.integration.modules.appliances import PASSWORD, Box, launch
from tests.lab.client import LabClient, wait_for
from tests.modules import run_module

TAG = "cloudadc:management_fingerprint"


@pytest.fixture
def box(fresh_lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """An appliance with its own self-signed certificate."""
    for name, value in fresh_lab.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    fresh_lab.settings(nitro={"self_signed": True})
    [found] = launch(fresh_lab)
    wait_for(lambda: found.state()["stage"] == "ready", "it has booted")
    yield found
    fresh_lab.settings(nitro={"self_signed": False})


def certificate(box: Box, serial: int = 1, **more: Any) -> Issued:
    return issue("adc.example", serial=serial, addresses=(box.nsip.rpartition(":")[0],), **more)


def bootstrap(box: Box, issued: Issued, folder: Path, *, check: bool = False, **more: Any) -> dict[str, Any]:
    authority = folder / "authority.pem"
    authority.write_text(issued.root)
    options = {
        "nsip": box.nsip,
        "instance_id": box.instance_id,
        "new_password": PASSWORD,
        "ca_path": str(authority),
        "region": "eu-central-1",
        "management_certificate": {"content": issued.fullchain, "key": issued.key},
        **more,
    }
    result = run_module("vpx_bootstrap", options, check=check, diff=True)
    shown = json.dumps({key: value for key, value in result.items() if key != "invocation"})
    assert "PRIVATE KEY" not in shown
    assert PASSWORD not in shown
    return result


def presented(box: Box) -> str:
    """The fingerprint of the certificate that the appliance has now, found without the collection's code."""
    host, _colon, port = box.nsip.rpartition(":")
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, int(port))))
    return printed(der)


def printed(der: bytes) -> str:
    digits = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


def of(issued: Issued) -> str:
    return printed(ssl.PEM_cert_to_DER_cert(issued.certificate))


def tag(box: Box) -> str | None:
    [found] = box.lab.boto("ec2").describe_instances(InstanceIds=[box.instance_id])["Reservations"]
    return {one["Key"]: one["Value"] for one in found["Instances"][0].get("Tags", [])}.get(TAG)


def test_installed_certificate_verifies_is_kept_and_is_renewed_in_place(box: Box, tmp_path: Path) -> None:
    first, second = certificate(box), certificate(box, serial=2)
    own = presented(box)
    writes = len(box.lab.writes())
    predicted = bootstrap(box, first, tmp_path, check=True)
    assert not predicted["failed"], predicted
    assert (predicted["changed"], len(box.lab.writes())) == (True, writes)

    made = bootstrap(box, first, tmp_path)
    assert not made["failed"], made
    assert (made["certificate_installed"], made["fingerprint"]) == (True, of(first))
    assert (presented(box), tag(box)) == (of(first), of(first))
    assert presented(box) != own

    found = run_module(
        "vpx_stat_info", {"nodes": [box.nsip], "nitro_pass": PASSWORD, "ca_path": str(tmp_path / "authority.pem")}
    )
    assert found["nodes"][0]["reachable"], found
    assert found["nodes"][0]["error"] is None, "later tasks verify it"

    writes = len(box.lab.writes())
    again = bootstrap(box, first, tmp_path, first_login=False)
    assert (again["failed"], again["changed"], again["certificate_installed"]) == (False, False, False), again
    assert len(box.lab.writes()) == writes

    renewed = bootstrap(box, second, tmp_path, first_login=False)
    assert (renewed["failed"], renewed["certificate_installed"]) == (False, True), renewed
    assert (presented(box), tag(box)) == (of(second), of(second))
    assert not bootstrap(box, second, tmp_path, first_login=False)["changed"]


def test_expired_certificate_is_replaced_and_an_unknown_one_is_refused(box: Box, tmp_path: Path) -> None:
    expired, renewed = certificate(box, serial=3, days=-1), certificate(box, serial=4)
    made = bootstrap(box, expired, tmp_path)
    assert made["failed"]
    assert "the management certificate is installed. Give the authority that issued it" in made["msg"]
    assert presented(box) == of(expired)
    assert not bootstrap(box, renewed, tmp_path, accept_fingerprints=[of(expired)])["failed"]
    assert presented(box) == of(renewed)
    box.lab.boto("ec2").delete_tags(Resources=[box.instance_id], Tags=[{"Key": TAG}])
    stranger = certificate(box, serial=5, issuer="Other")
    logins = sum(call.op == "POST /config/login" for call in box.lab.calls(0))
    refused = bootstrap(box, stranger, tmp_path, first_login=False)
    assert refused["failed"]
    assert "its certificate does not verify" in refused["msg"]
    assert sum(call.op == "POST /config/login" for call in box.lab.calls(0)) == logins, "nothing was sent"


def test_pinned_certificate_is_replaced_by_the_installed_one(box: Box, tmp_path: Path) -> None:
    issued = issue("adc.example", serial=6)
    made = bootstrap(box, issued, tmp_path, management_tls="pin")
    assert (made["failed"], made["fingerprint"], tag(box)) == (False, of(issued), of(issued)), made
    again = bootstrap(box, issued, tmp_path, management_tls="pin", first_login=False)
    assert (again["failed"], again["changed"]) == (False, False), again


def test_key_of_another_certificate_is_refused_before_the_first_contact(box: Box, tmp_path: Path) -> None:
    issued, other = certificate(box), certificate(box, serial=7)
    option = {"content": issued.fullchain, "key": other.key}
    before = len(box.lab.calls(0))
    refused = bootstrap(box, issued, tmp_path, management_certificate=option)
    assert "management_certificate.key does not belong to the first certificate" in refused["msg"]
    assert len(box.lab.calls(0)) == before
