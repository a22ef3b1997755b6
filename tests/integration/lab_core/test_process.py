"""The lab as a process: started, found, ended, beside another, after a crash, and never at the cost of a stranger."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.lab.client import LabClient, command, read_environment, running, wait_for
from tests.lab.rundir import RunDirectory


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Yield a lab's directory; whatever a test starts there is ended."""
    yield tmp_path / "lab"
    command("down", tmp_path / "lab")


def _pid(directory: Path) -> int:
    return int((directory / "pid").read_text())


def _sockets(pid: int) -> list[str]:
    connections = psutil.Process(pid).net_connections(kind="tcp")
    return [f"{c.laddr.ip}:{c.laddr.port}" for c in connections if c.status == psutil.CONN_LISTEN]


def test_up_says_where_and_again_that_it_is_there_already(home: Path) -> None:
    first = command("up", home)
    assert first.returncode == 0, first.stderr
    client = LabClient(home)
    for fact in (client.url, client.env["AWS_ENDPOINT_URL"], f"NITRO on port {client.nitro_port}", str(_pid(home))):
        assert fact in first.stdout
    second = command("up", home)
    assert (second.returncode, second.stdout.split(":")[0]) == (0, "a lab runs here already")
    assert f"(process {_pid(home)})" in second.stdout
    status = command("status", home)
    assert (status.returncode, status.stdout.split(":")[0]) == (0, "the lab runs")


def test_two_that_start_a_lab_at_once_share_it(home: Path) -> None:
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda _ignored: command("up", home), range(3)))
    assert [run.returncode for run in runs] == [0, 0, 0]
    beginnings = sorted(run.stdout.split(":")[0] for run in runs)
    assert beginnings == ["a lab runs here already", "a lab runs here already", "the lab is up"]
    assert {run.stdout.rsplit("process ", 1)[1] for run in runs} == {f"{_pid(home)})\n"}


def test_up_leaves_no_pipe_open_and_no_session_shared(home: Path) -> None:
    started = time.monotonic()
    assert command("up", home).returncode == 0  # would wait for the lab if it kept our pipes
    assert time.monotonic() - started < 60
    assert os.getsid(_pid(home)) == _pid(home)


def test_down_leaves_nothing_running_and_no_untrue_file(home: Path) -> None:
    command("up", home)
    pid, places = _pid(home), _sockets(_pid(home))
    assert len(places) >= 3
    ended = command("down", home)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    for place in places:
        address, port = place.rsplit(":", 1)
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"http://{address.replace('0.0.0.0', '127.0.0.1')}:{port}/", timeout=2)
    assert not (home / "env").exists()
    assert not (home / "pid").exists()
    assert not list(home.glob("vars/*"))
    assert (home / "calls.jsonl").exists()
    again = command("down", home)
    assert (again.returncode, again.stdout) == (0, f"no lab runs in {home}\n")
    status = command("status", home)
    assert (status.returncode, status.stderr) == (1, f"lab: no lab runs in {home}\n")


def test_after_a_crash_up_starts_anew_and_down_cleans_up(home: Path) -> None:
    command("up", home)
    for name in ("down", "up"):
        psutil.Process(_pid(home)).kill()
        wait_for(lambda: not RunDirectory(home).is_held(), "the crashed lab is gone")
        after = command(name, home)
        assert after.returncode == 0, after.stderr
        command("up", home)
    assert LabClient(home).state()["pid"] == _pid(home)


def test_a_pid_that_belongs_to_a_stranger_by_now_is_left_alone(home: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    home.mkdir()
    (home / "pid").write_text(f"{stranger.pid}\n")
    assert command("down", home).returncode == 0
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_lab_that_cannot_start_says_why_with_the_end_of_its_log(home: Path) -> None:
    with LabLike() as taken:
        failed = command("up", home, {"LAB_AWS_PORT": str(taken.port)})
    assert failed.returncode == 1
    assert failed.stderr.startswith("lab: the lab ended while it started\n")
    assert f"port {taken.port} on 127.0.0.1 cannot be had: Address already in use" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not RunDirectory(home).is_held()


class LabLike:
    """Something on a port that a lab is told to take."""

    def __enter__(self) -> LabLike:
        from tests.lab import sockets

        self._listener = sockets.listen("127.0.0.1", 0)
        self.port = int(self._listener.getsockname()[1])
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._listener.close()


def test_a_wrong_setting_is_a_sentence(home: Path) -> None:
    failed = command("up", home, {"LAB_NITRO_PORT": "443"})
    assert (failed.returncode, failed.stderr) == (
        1,
        "lab: LAB_NITRO_PORT must be a port above 1024 (or 0 for any free one), not '443'\n",
    )
    (home.parent / "file").touch()
    failed = command("up", home.parent / "file" / "lab")
    assert failed.returncode == 1
    assert "cannot be used: Not a directory" in failed.stderr


def test_a_second_lab_lives_beside_the_first(lab: LabClient, home: Path) -> None:
    with running(home) as second:
        one, two = lab.state(), second.state()
        for key in ("network", "public_network", "nitro_port", "aws_url", "control_url"):
            assert one[key] != two[key]
        lab.boto("ec2").create_key_pair(KeyName="only-in-the-first")
        names = {pair["KeyName"] for pair in second.boto("ec2").describe_key_pairs()["KeyPairs"]}
        assert "only-in-the-first" not in names
        refused = command("up", home.parent / "third", {"LAB_NETWORK": two["network"]})
        assert refused.returncode == 1
        assert f"another lab lives in {two['network']}.0.0/15" in refused.stderr


def test_its_shell_exports_are_all_a_shell_needs(lab: LabClient) -> None:
    script = 'set -eu; . "$1"; env -0'
    run = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(lab.directory / "env")],
        env={"PATH": os.environ["PATH"], "NO_PROXY": "example.org"},
        capture_output=True,
        text=True,
        check=True,
    )
    observed = dict(item.split("=", 1) for item in run.stdout.split("\0") if item)
    written = read_environment(lab.directory / "env")
    assert {name: observed[name] for name in written} == written
    assert requests.get(f"{observed['LAB_URL']}/lab/state", timeout=10).ok
    assert Path(observed["LAB_CA"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert Path(observed["ANSIBLE_COLLECTIONS_PATH"], "ansible_collections", "cloudadc", "aws", "galaxy.yml").exists()
    assert len(observed["AWS_SECRET_ACCESS_KEY"]) >= 40
    for path in (lab.directory / "env", lab.variables_path("ha_pair")):
        assert path.stat().st_mode & 0o077 == 0, "there are secrets in it"


def test_the_variables_name_what_the_account_holds(fresh_lab: LabClient) -> None:
    variables = fresh_lab.variables("ha_pair")
    ec2 = fresh_lab.boto("ec2")
    nodes = variables["ha_pair_nodes"]
    assert [set(node) for node in nodes] == [{"management_subnet_id", "client_subnet_id", "server_subnet_id"}] * 2
    subnets = ec2.describe_subnets(SubnetIds=[subnet_id for node in nodes for subnet_id in node.values()])["Subnets"]
    zone_of = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
    zones = [{zone_of[subnet_id] for subnet_id in node.values()} for node in nodes]
    assert [len(zone) for zone in zones] == [1, 1]
    assert zones[0] != zones[1]
    assert ec2.describe_images(ImageIds=[variables["ha_pair_image_id"]])["Images"]
    assert ec2.describe_key_pairs(KeyNames=[variables["ha_pair_key_name"]])["KeyPairs"]
    for backend in variables["ha_pair_application"]["backends"]:
        assert requests.get(f"http://{backend['address']}:{backend['port']}/", timeout=5).ok


def test_reset_empties_and_seeds_anew_quickly(fresh_lab: LabClient) -> None:
    ec2 = fresh_lab.boto("ec2")
    ec2.allocate_address(Domain="vpc")
    fresh_lab.latency(aws=0.01)
    fresh_lab.faults(nitro={"error": 1.0})
    started = time.monotonic()
    fresh_lab.reset()
    assert time.monotonic() - started < 2.0
    state = fresh_lab.state()
    assert state["latency"] == {"aws": 0.0, "nitro": 0.0}
    assert state["faults"] == {}
    assert fresh_lab.calls() == []
    assert ec2.describe_addresses()["Addresses"] == []
    in_the_network = {"Name": "vpc-id", "Values": [state["seed_data"]["vpc_id"]]}
    assert len(ec2.describe_subnets(Filters=[in_the_network])["Subnets"]) == 15
    assert [call.op for call in fresh_lab.calls()] == ["DescribeAddresses", "DescribeSubnets"]


def test_lab_ends_when_the_process_that_owns_it_is_killed(home: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert command("up", home, {"LAB_OWNER": str(owner.pid)}).returncode == 0
    lab = psutil.Process(_pid(home))
    owner.kill()
    owner.wait()
    lab.wait(timeout=20)
    assert command("status", home).returncode == 1
