"""The fault proxy: every call counted, logged, delayed or struck as asked, and processes killed at the right write."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.integration.lab_core.stubs import EchoSide
from tests.lab import faults, killer
from tests.lab.calls import CallLog
from tests.lab.client import wait_for
from tests.lab.fault_proxy import FaultProxy, Latency
from tests.lab.server import Server


class Bench:
    """A side behind a fault proxy behind a server."""

    def __init__(self, path: Path) -> None:
        self.side = EchoSide()
        self.faults = faults.Faults()
        self.latency = Latency()
        self.log = CallLog(path)
        self.kept: list[str] = []
        fault_proxy = FaultProxy(
            self.side,
            calls=self.log,
            faults=self.faults,
            latency=self.latency,
            kill=killer.kill_tree,
            keep=lambda name: self.kept.append(f"{name} {self.side.done}"),
        )
        self.server = Server("127.0.0.1", 0, fault_proxy)
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}"

    def plan(self, **body: Any) -> None:
        self.faults.set(faults.parse(body))

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.path.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "calls.jsonl")
    yield bench
    bench.server.stop()
    bench.log.close()


def test_every_call_is_one_line_written_before_the_answer(bench: Bench) -> None:
    before = time.time()
    requests.get(f"{bench.url}/config/x", timeout=5)
    assert len(bench.calls()) == 1
    requests.post(f"{bench.url}/config/y", timeout=5)
    read, write = bench.calls()
    assert set(read) == {"t", "side", "op", "status", "ms", "write", "address"}
    assert (read["side"], read["op"], read["status"], read["write"]) == ("nitro", "GET /config/x", 200, False)
    assert (write["op"], write["status"], write["write"]) == ("POST /config/y", 201, True)
    assert before <= read["t"] <= write["t"] <= time.time()
    assert read["address"] == "127.0.0.1"


def test_the_state_is_kept_after_each_write(bench: Bench) -> None:
    bench.plan(keep="scenario")
    requests.post(f"{bench.url}/one", timeout=5)
    requests.get(f"{bench.url}/read", timeout=5)
    requests.post(f"{bench.url}/two", timeout=5)
    bench.plan()
    requests.post(f"{bench.url}/three", timeout=5)
    assert bench.kept == ["scenario/1 ['/one']", "scenario/2 ['/one', '/read', '/two']"]


def test_latency_is_real_seconds_and_shows_in_the_log(bench: Bench) -> None:
    bench.latency.set({"nitro": 0.2, "aws": 30.0})
    started = time.monotonic()
    requests.get(bench.url, timeout=5)
    assert 0.2 <= time.monotonic() - started < 1.5
    assert bench.calls()[0]["ms"] >= 200
    bench.latency.clear()
    started = time.monotonic()
    requests.get(bench.url, timeout=5)
    assert time.monotonic() - started < 0.2


def test_latency_of_calls_side_by_side_does_not_add_up(bench: Bench) -> None:
    bench.latency.set({"nitro": 0.3})
    threads = [threading.Thread(target=requests.get, args=(bench.url,), kwargs={"timeout": 5}) for _turn in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 1.2


@pytest.mark.parametrize(("kind", "status"), [("throttle", 503), ("error", 500)])
def test_a_refusal_is_in_the_words_of_the_side_and_carries_nothing_out(bench: Bench, kind: str, status: int) -> None:
    bench.plan(nitro={kind: 1.0})
    answer = requests.post(f"{bench.url}/w", timeout=5)
    assert (answer.status_code, answer.text) == (status, kind)
    assert bench.side.done == []
    assert (bench.calls()[0]["status"], bench.calls()[0]["fault"]) == (status, kind)


@pytest.mark.parametrize(("kind", "done"), [("reset", []), ("lose", ["/w"])])
def test_a_broken_connection(bench: Bench, kind: str, done: list[str]) -> None:
    bench.plan(nitro={kind: 1.0})
    with pytest.raises(requests.exceptions.ConnectionError, match="reset"):
        requests.post(f"{bench.url}/w", timeout=5)
    assert bench.side.done == done
    assert (bench.calls()[0]["status"], bench.calls()[0]["fault"]) == (0, kind)


@pytest.mark.parametrize(("kind", "done"), [("html", []), ("truncate", ["/w"])])
def test_an_answer_that_is_none(bench: Bench, kind: str, done: list[str]) -> None:
    whole = requests.post(f"{bench.url}/w", data="body", timeout=5).text
    bench.side.done.clear()
    bench.plan(nitro={kind: 1.0})
    answer = requests.post(f"{bench.url}/w", data="body", timeout=5)
    assert answer.status_code == (200 if kind == "html" else 201)
    if kind == "html":
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.text.startswith("<!DOCTYPE html>")
    else:
        assert answer.text == whole[: len(whole) // 2]
    assert bench.side.done == done
    assert bench.calls()[1]["fault"] == kind


def test_a_hang_is_silence(bench: Bench) -> None:
    bench.plan(nitro={"hang": 1.0})
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(bench.url, timeout=0.4)
    assert bench.calls()[0]["fault"] == "hang"


def test_faults_of_another_side_do_not_strike(bench: Bench) -> None:
    bench.plan(aws={"error": 1.0})
    assert requests.get(bench.url, timeout=5).ok


def test_the_same_seed_strikes_the_same_calls(bench: Bench) -> None:
    runs = []
    for _turn in range(2):
        bench.plan(nitro={"error": 0.5}, seed=7)
        runs.append([requests.get(bench.url, timeout=5).status_code for _turn in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_a_side_that_fails_is_logged(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    bench.side.fail = True
    assert requests.get(bench.url, timeout=5).status_code == 500
    assert bench.calls()[0]["status"] == 500
    assert "a side with a mistake in it" in capfd.readouterr().err


def test_a_side_can_break_the_connection_itself(bench: Bench) -> None:
    bench.side.hang_up = True
    with pytest.raises(requests.ConnectionError, match="reset"):
        requests.post(bench.url, timeout=5)
    assert bench.calls()[0]["status"] == 0


# A client as ansible is one: the writes come from a grandchild in a session of its own.
_FAMILY = textwrap.dedent("""
    import os, subprocess, sys
    grandchild = '''
    import sys, urllib.request
    for n in range(1, 9):
        request = urllib.request.Request(f"{sys.argv[1]}/w{n}", data=b"x", method="POST")
        urllib.request.urlopen(request).read()
    '''
    child = '''
    import subprocess, sys
    subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1]], start_new_session=True)
    '''
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    print(bystander.pid, flush=True)
    sys.stdin.readline()
    subprocess.run([sys.executable, "-c", child, sys.argv[1], grandchild])
""")


@pytest.mark.parametrize(("when", "done"), [("before", 2), ("after", 3)])
def test_the_kill_switch_takes_the_whole_family_at_the_nth_write(bench: Bench, when: str, done: int) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _FAMILY, bench.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdin
    assert parent.stdout
    bystander = int(parent.stdout.readline())
    bench.plan(kill_at=3, pid=parent.pid, when=when)
    assert bench.faults.state()["kill"]["fired"] is False
    parent.stdin.write("go\n")
    parent.stdin.flush()
    assert parent.wait(timeout=20) == -signal.SIGKILL
    assert bench.faults.state()["kill"]["fired"] is True
    wait_for(lambda: bench.faults.state()["kill"]["killed"], "the switch says whom it struck")
    state = bench.faults.state()
    assert state["writes_seen"] == 3
    assert len(state["kill"]["killed"]) == 4
    assert state["kill"]["killed"][0] == parent.pid
    assert bystander in state["kill"]["killed"]
    wait_for(lambda: not any(_alive(pid) for pid in state["kill"]["killed"]), "no process of the family is left")
    assert bench.side.done == [f"/w{n}" for n in range(1, done + 1)]
    assert [call["status"] for call in bench.calls()] == [201, 201, 0]
    assert bench.calls()[-1]["fault"] == f"kill {when}"


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_reads_are_not_counted_and_a_new_plan_counts_anew(bench: Bench) -> None:
    bench.plan()
    for _turn in range(2):
        requests.get(bench.url, timeout=5)
        requests.post(bench.url, timeout=5)
    assert bench.faults.state()["writes_seen"] == 2
    bench.plan()
    assert bench.faults.state()["writes_seen"] == 0


def test_the_lab_does_not_kill_itself_or_who_started_it() -> None:
    assert "is the lab itself" in (killer.may_kill(psutil.Process().pid) or "")
    assert "has started it" in (killer.may_kill(psutil.Process().ppid()) or "")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert "there is no process" in (killer.may_kill(gone.pid) or "")
    assert killer.kill_tree(gone.pid) == []
