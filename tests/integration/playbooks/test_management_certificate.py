"""A pair whose appliances come with self-signed certificates: its playbook installs a certificate that verifies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Issued, issue
from tests.lab.client import LabClient
from tests.stage import Stage


def variables(lab: LabClient, folder: Path, issued: Issued) -> dict[str, Any]:
    authority = folder / "authority.pem"
    authority.write_text(issued.root + Path(lab.ca_path).read_text())
    certificate = {"content": issued.fullchain, "key": issued.key}
    return {"ha_pair_management_certificate": certificate, "ha_pair_ca_path": str(authority)}


@pytest.mark.timeout(900)
def test_pair_is_built_verified_and_gets_a_renewed_certificate(lab: LabClient, tmp_path: Path) -> None:
    lab.reset()
    lab.pace(300)
    lab.settings(nitro={"self_signed": True})
    subnets = lab.state()["seed_data"]["subnets"].values()
    networks = [one.split("/")[0].rsplit(".", 1)[0] for one in _management_networks(lab, subnets)]
    addresses = tuple(f"{network}.{host}" for network in networks for host in range(4, 20))
    stage = Stage(lab, quick=True)
    first = variables(lab, tmp_path, issue("adc.example", serial=11, addresses=addresses))
    try:
        run = stage.play("ha_pair", "-e", json.dumps(first))
        assert "PRIVATE KEY" not in run.text()
        again = stage.play("ha_pair", "-e", json.dumps(first))
        assert again.changed() == 0
        renewed = variables(lab, tmp_path, issue("adc.example", serial=12, addresses=addresses))
        check = stage.play("ha_pair", "--check", "-e", json.dumps(renewed))
        assert check.changed() == 1
        stage.play("ha_pair", "-e", json.dumps(renewed))
        without = {"ha_pair_ca_path": renewed["ha_pair_ca_path"], "status_fail": True}
        stage.play("status", "-e", json.dumps(without))
        stage.play("ha_failover", "-e", json.dumps({**without, "ha_failover_mode": "reconcile"}))
    finally:
        lab.reset()


def _management_networks(lab: LabClient, zones: Any) -> list[str]:
    ids = [zone["management"] for zone in zones]
    return [one["CidrBlock"] for one in lab.boto("ec2").describe_subnets(SubnetIds=ids)["Subnets"]]
