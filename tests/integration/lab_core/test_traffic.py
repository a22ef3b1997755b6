"""The measuring client against a server that is taken away and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.lab_core.stubs import EchoSide
from tests.lab import traffic
from tests.lab.client import wait_for
from tests.lab.server import Server
from tests.lab.settings import CHECKOUT

RATE = 50


def _start(port: int, report: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["--address", "127.0.0.1", "--port", str(port), "--rate", str(RATE), "--json", str(report), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lab.traffic", *arguments], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )


def test_it_measures_an_outage_and_reports_when_told_to_stop(tmp_path: Path) -> None:
    side = EchoSide()
    first = Server("127.0.0.1", 0, side)
    first.start()
    client = _start(first.port, tmp_path / "report.json", "--timeout", "0.5")
    wait_for(lambda: len(side.done) > 10, "the client sends")
    first.stop()
    went = time.time()
    time.sleep(0.6)
    second = Server("127.0.0.1", first.port, side)
    second.start()
    came = time.time()
    observed = len(side.done)
    wait_for(lambda: len(side.done) > observed + 10, "the client is answered again")
    client.send_signal(signal.SIGTERM)
    printed, _ignored = client.communicate(timeout=10)
    second.stop()
    assert client.returncode == 0
    report = traffic.read(tmp_path / "report.json")
    assert printed.splitlines() == [f"{RATE} requests a second to 127.0.0.1:{first.port}", report.text()]
    assert len(report.failures) >= 0.6 * RATE * 0.5
    outage = report.longest_outage()
    assert outage is not None
    assert not outage.open
    assert outage.start <= went + 0.1
    assert outage.end >= came
    assert 0.6 <= outage.seconds < 2.0
    assert report.first_answer_after(came) == min(request.end for request in report.requests if request.start >= came)


def test_it_ends_at_its_stop_file_and_after_its_time(tmp_path: Path) -> None:
    side = EchoSide()
    server = Server("127.0.0.1", 0, side)
    server.start()
    client = _start(server.port, tmp_path / "a.json", "--stop-file", str(tmp_path / "stop"))
    wait_for(lambda: len(side.done) > 5, "the client sends")
    (tmp_path / "stop").touch()
    assert client.wait(timeout=10) == 0
    assert traffic.read(tmp_path / "a.json").failures == ()
    assert _start(server.port, tmp_path / "b.json", "--duration", "0.5").wait(timeout=10) == 0
    server.stop()
    report = traffic.read(tmp_path / "b.json")
    assert 10 <= len(report.requests) <= 30
    assert report.failures == ()


def test_a_request_started_while_others_hang(tmp_path: Path) -> None:
    class Slow(EchoSide):
        def __call__(self, environ, start_response):  # type: ignore[no-untyped-def]
            time.sleep(0.4)
            return super().__call__(environ, start_response)

    server = Server("127.0.0.1", 0, Slow())
    server.start()
    assert _start(server.port, tmp_path / "c.json", "--duration", "0.6").wait(timeout=10) == 0
    server.stop()
    report = traffic.read(tmp_path / "c.json")
    assert len(report.requests) >= 15
    assert report.failures == ()
