"""Playbook rights: what an administrator creates once for a pair, and that it converges what is there already."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.client import LabClient
from tests.stage import Stage

BOUNDARY = "arn:aws:iam::123456789012:policy/cloudadc-vpx-boundary"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
}


def test_existing_role_comes_under_the_boundary_and_policies_are_narrowed(lab: LabClient, tmp_path: Path) -> None:
    iam, stage = lab.boto("iam"), Stage(lab, quick=True)
    given = lab.boto("ec2").allocate_address(Domain="vpc")
    tags = [{"Key": "cloudadc:group", "Value": "lab-pair"}]
    iam.create_role(RoleName="lab-pair-vpx", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=tags)
    values = {"rights_folder": str(tmp_path), "ha_pair_elastic_ips": [given["PublicIp"]]}
    stage.play("rights", "-e", json.dumps(values))

    role = iam.get_role(RoleName="lab-pair-vpx")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert iam.get_instance_profile(InstanceProfileName="lab-pair-vpx")["InstanceProfile"]["Roles"]
    rights = json.dumps(iam.get_role_policy(RoleName="lab-pair-vpx", PolicyName="cloudadc-ha")["PolicyDocument"])
    assert '"aws:ResourceTag/cloudadc:group": "lab-pair"' in rights
    assert f"elastic-ip/{given['AllocationId']}" in rights

    assert {path.name for path in tmp_path.iterdir()} == {
        f"lab-pair-{name}.json" for name in ("ha_pair", "ha_failover", "status", "managed_role")
    }
    written = (tmp_path / "lab-pair-ha_failover.json").read_text()
    assert f"arn:aws:ec2:*:123456789012:elastic-ip/{given['AllocationId']}" in written
    assert f'"iam:PermissionsBoundary": "{BOUNDARY}"' in (tmp_path / "lab-pair-managed_role.json").read_text()
    assert '"arn:aws:iam::123456789012:role/lab-pair-vpx"' in (tmp_path / "lab-pair-ha_pair.json").read_text()

    assert stage.play("rights", "-e", json.dumps(values)).changed() == 0
