"""Backups of a pair in S3, and the drill: both nodes are lost, and the pair comes back with what was done by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.crash.lab_states import PAIR
from tests.lab.client import LabClient, wait_for
from tests.modules import run_module
from tests.observe import Node, Observer
from tests.stage import Stage

BUCKET = "example-adc-backups"
GROUP = "lab-pair"
GIVEN = ("-e", f"config_backup_bucket={BUCKET}")
SECRET = "by-hand-Secret-1"


class Nitro:
    """One node, as an administrator at its API."""

    def __init__(self, lab: LabClient, nsip: str) -> None:
        values = lab.variables("ha_pair")
        self._base = f"https://{nsip}:{values['ha_pair_nitro_port']}/nitro/v1/config/"
        self._http = requests.Session()
        self._http.trust_env = False  # a bundle of the environment would replace the lab's authority
        self._http.verify = values["ha_pair_ca_path"]
        self._http.headers.update({"X-NITRO-USER": "nsroot", "X-NITRO-PASS": values["ha_pair_password"]})

    def write(self, method: str, path: str, **fields: Any) -> None:
        kind = path.partition("?")[0]
        reply = self._http.request(method, self._base + path, json={kind: fields}, timeout=10)
        assert reply.status_code < 300, reply.text

    def rows(self, path: str) -> list[dict[str, Any]]:
        reply = self._http.get(self._base + path, timeout=10).json()
        found: list[dict[str, Any]] = reply.get(path.partition("/")[0].partition("?")[0], [])
        return found


def by_hand(node: Nitro, client_address: str) -> None:
    """What an operator configures besides the definition: another application on the pair's own address, and more."""
    node.write("POST", "server", name="reports", ipaddress="127.10.31.77")
    node.write("POST", "lbmonitor", monitorname="reports-check", type="HTTP", respcode=["200", "204"])
    node.write("POST", "servicegroup", servicegroupname="reports-group", servicetype="HTTP")
    node.write(
        "PUT", "servicegroup_servicegroupmember_binding",
        servicegroupname="reports-group", servername="reports", port=8090,
    )  # fmt: skip
    node.write("PUT", "servicegroup_lbmonitor_binding", servicegroupname="reports-group", monitor_name="reports-check")
    node.write("POST", "lbvserver", name="reports", servicetype="HTTP", ipv46=client_address, port=8091, clttimeout=77)
    node.write("PUT", "lbvserver_servicegroup_binding", name="reports", servicegroupname="reports-group")
    node.write("POST", "ntpserver", serverip="127.10.1.250")
    node.write("POST", "systemuser", username="operator", password=SECRET)
    node.write("POST", "nsconfig?action=save")


@pytest.fixture
def stage(lab: LabClient) -> Iterator[Stage]:
    """Yield a pair and a bucket that keeps versions, at a pace at which nothing is waited for."""
    lab.pace(300)
    made = Stage(lab, quick=True)
    PAIR.set_up(made)
    s3 = lab.boto("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": lab.env["AWS_REGION"]})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield made
    lab.reset()


@pytest.fixture
def environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the environment of a module that runs in this process; its options for this pair."""
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, stage.lab.env[name])
    values = stage.lab.variables("ha_pair")
    return {
        "group": GROUP,
        "bucket": BUCKET,
        "nitro_pass": values["ha_pair_password"],
        "nitro_port": values["ha_pair_nitro_port"],
        "ca_path": values["ha_pair_ca_path"],
    }


def keys(lab: LabClient) -> list[str]:
    return [one["Key"] for one in lab.boto("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def local_copies(lab: LabClient) -> list[Any]:
    return [row for node in Observer(lab).nodes() for row in Nitro(lab, node.nsip).rows("systembackup")]


def served(lab: LabClient) -> bool:
    [association] = Observer(lab).elastic_ips()
    port = lab.variables("ha_pair")["ha_pair_application"]["port"]
    return requests.get(f"http://{association.elastic_ip}:{port}/", timeout=2).ok


@pytest.mark.timeout(900)
def test_drill_brings_back_what_was_configured_by_hand(stage: Stage) -> None:
    lab, observer = stage.lab, Observer(stage.lab)
    before: Node = observer.primary()
    by_hand(Nitro(lab, before.nsip), before.client_address)
    stage.play("backup", *GIVEN)
    assert len(keys(lab)) == 2
    lost = [node.instance_id for node in observer.nodes()]
    lab.boto("ec2").terminate_instances(InstanceIds=lost)

    run = stage.play("restore", *GIVEN)

    successor = next(node for node in observer.nodes() if node.node_id == before.node_id)
    assert not set(lost) & {node.instance_id for node in observer.nodes()}
    wait_for(lambda: served(lab) or None, "an answer at the Elastic IP")
    for node in observer.nodes():
        nitro = Nitro(lab, node.nsip)
        [vserver] = nitro.rows("lbvserver/reports")
        assert (vserver["ipv46"], str(vserver["port"])) == (successor.client_address, "8091")
        assert str(vserver["clttimeout"]) == "77"
        [member] = nitro.rows("servicegroup_servicegroupmember_binding/reports-group")
        assert (member["servername"], str(member["port"])) == ("reports", "8090")
        assert nitro.rows("lbmonitor/reports-check")[0]["respcode"] == ["200", "204"]
        assert [row["serverip"] for row in nitro.rows("ntpserver")] == ["127.10.1.250"]
        assert not [row for row in nitro.rows("systemuser") if row["username"] == "operator"]
    text = run.text()
    assert "add system user operator" in text
    assert "set ns config -ipaddress" in text
    assert SECRET not in text
    assert lab.variables("ha_pair")["ha_pair_password"] not in text

    again = stage.play("restore", *GIVEN)
    assert again.changed() == 0


def test_backup_is_stored_with_checksum_and_metadata_and_leaves_no_copy(
    stage: Stage, environment: dict[str, Any]
) -> None:
    lab = stage.lab
    key = lab.boto("kms").create_key()["KeyMetadata"]["Arn"]
    options = {**environment, "kms_key_id": key, "retention": 1, "applications": ["lab-web"]}
    strange = f"cloudadc/pair/{GROUP}-2/0/20200101T000000Z-primary-i-0.tgz"
    old = f"cloudadc/pair/{GROUP}/0/20200101T000000Z-primary-i-0.tgz"
    for name in (strange, old):
        lab.boto("s3").put_object(Bucket=BUCKET, Key=name, Body=b"x")

    predicted = run_module("vpx_backup", options, check=True)
    assert predicted["changed"]
    assert predicted["deleted"] == [old]
    assert sorted(keys(lab)) == sorted([strange, old])

    result = run_module("vpx_backup", options)
    assert not result["failed"], result
    assert [(one["node"], one["role"]) for one in result["backups"]] == [("0", "primary"), ("1", "secondary")]
    assert result["deleted"] == [old]
    assert sorted(keys(lab)) == sorted([strange, *(one["key"] for one in result["backups"])])
    assert local_copies(lab) == []
    first = result["backups"][0]
    stored = lab.boto("s3").get_object(Bucket=BUCKET, Key=first["key"], ChecksumMode="ENABLED")
    assert base64.b64decode(stored["ChecksumSHA256"]).hex() == first["sha256"] == stored["Metadata"]["sha256"]
    assert (stored["SSEKMSKeyId"], stored["VersionId"]) == (key, first["version_id"])
    assert (stored["Metadata"]["build"], stored["Metadata"]["node"]) == (first["build"], "0")
    assert environment["nitro_pass"] not in json.dumps(result)


def test_failed_upload_is_loud_and_fails_only_where_the_backup_is_required(
    stage: Stage, environment: dict[str, Any]
) -> None:
    options = {**environment, "kms_key_id": "alias/none"}
    required = run_module("vpx_backup", options)
    assert required["failed"]
    assert "KMS.NotFoundException" in required["msg"]
    assert local_copies(stage.lab) == []
    step = run_module("vpx_backup", {**options, "required": False})
    assert not step["failed"]
    assert len(step["failures"]) == len(step["warnings"]) == 2
    assert all("KMS.NotFoundException" in one and "node" in one for one in step["failures"])
    assert stage.play("backup", *GIVEN, "-e", "config_backup_kms_key_id=alias/none", must_succeed=False).code != 0


def test_bucket_that_keeps_no_versions_is_refused_and_created_only_on_request(
    stage: Stage, environment: dict[str, Any]
) -> None:
    lab = stage.lab
    s3 = lab.boto("s3")
    missing = run_module("vpx_backup", {**environment, "bucket": "not-there"})
    assert "bucket not-there does not exist. Create it with versioning enabled" in missing["msg"]
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    suspended = run_module("vpx_backup", environment)
    assert "does not keep versions (versioning is Suspended)" in suspended["msg"]
    options = {**environment, "bucket": "made-here", "create_bucket": True}
    assert run_module("vpx_backup", options, check=True)["bucket_created"]
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == [BUCKET]
    s3.create_bucket(Bucket="made-here", CreateBucketConfiguration={"LocationConstraint": lab.env["AWS_REGION"]})
    result = run_module("vpx_backup", options)  # a run that was interrupted after the creation is completed
    assert (result["failed"], result["bucket_created"]) == (False, True)
    assert s3.get_bucket_versioning(Bucket="made-here")["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket="made-here")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]


def test_large_backup_is_refused_with_its_size(stage: Stage, environment: dict[str, Any]) -> None:
    stage.lab.settings(nitro={"file_content_limit": 10})
    result = run_module("vpx_backup", environment)
    stage.lab.settings(nitro={"file_content_limit": 5 * 2**20})
    assert result["failed"]
    assert "NITRO returned no content" in result["msg"]
    assert local_copies(stage.lab) == []


def test_damaged_backup_changes_nothing(stage: Stage, environment: dict[str, Any]) -> None:
    lab = stage.lab
    [first, _second] = run_module("vpx_backup", environment)["backups"]
    stored = lab.boto("s3").get_object(Bucket=BUCKET, Key=first["key"])
    body = stored["Body"].read()
    lab.boto("s3").put_object(Bucket=BUCKET, Key=first["key"], Body=body + b"x", Metadata=stored["Metadata"])
    writes = len(lab.writes(side="nitro"))
    result = run_module("vpx_backup", {**environment, "state": "restored"})
    assert result["failed"]
    assert "does not have the SHA-256 that was stored with it" in result["msg"]
    changing = [call for call in lab.writes(side="nitro")[writes:] if "log" not in call.op]
    assert changing == []


@pytest.mark.timeout(900)
def test_full_restore_takes_both_nodes_back_and_says_what_is_lost(stage: Stage, environment: dict[str, Any]) -> None:
    """The nodes reboot and run what they had at the backup; an archive of another build or type is refused."""
    lab, observer = stage.lab, Observer(stage.lab)
    before: Node = observer.primary()
    by_hand(Nitro(lab, before.nsip), before.client_address)
    stage.play("backup", *GIVEN)
    nitro = Nitro(lab, before.nsip)
    nitro.write("DELETE", "lbvserver/reports")
    nitro.write("POST", "lbvserver", name="mistake", servicetype="HTTP", ipv46=before.client_address, port=8092)
    nodes = sorted(node.instance_id for node in observer.nodes())
    options = {**environment, "state": "restored", "full": True}

    writes = len(lab.writes())
    predicted = run_module("vpx_backup", options, check=True)
    assert sorted(predicted["rebooted"]) == nodes
    lost = [one["command"] for one in predicted["overwritten"] if one["instance_id"] == before.instance_id]
    assert any(command.startswith("add lb vserver mistake") for command in lost)
    assert any(command.startswith("add lb vserver reports") for command in predicted["restored"])
    assert not any("login" not in call.op and "logout" not in call.op for call in lab.writes()[writes:])

    run = stage.play("restore", *GIVEN, "-e", "config_backup_full=true")
    assert "add lb vserver mistake" in run.text()
    for node in observer.nodes():
        names = {row["name"] for row in Nitro(lab, node.nsip).rows("lbvserver")}
        assert "reports" in names
        assert "mistake" not in names
    assert len([call for call in lab.writes()[writes:] if call.op == "POST /config/reboot"]) == 2
    wait_for(lambda: served(lab) or None, "an answer at the Elastic IP")
    assert local_copies(lab) == []
    assert run_module("vpx_backup", options)["rebooted"] == []

    lab.settings(nitro={"version": "NetScaler NS14.1: Build 80.10.nc, Date: Nov 1 2026, 10:00:00   (64-bit)"})
    refused = run_module("vpx_backup", options)
    assert "has build NetScaler NS14.1: Build 80.10.nc" in refused["msg"]
