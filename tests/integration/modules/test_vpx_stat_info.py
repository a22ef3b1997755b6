"""vpx_stat_info over HTTP, against servers that answer as appliances do, and as they should not."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.metrics import OF_APPLIANCES, REGISTRY
from tests.integration.modules.appliances import PASSWORD as BOX_PASSWORD
from tests.integration.modules.appliances import launch
from tests.lab.client import LabClient, wait_for
from tests.modules import run_module
from tests.unit.plugins.module_utils.nitro.scripted import LOGIN, LOGOUT, RESET, SILENCE, serving

PASSWORD = "sehr-geheim-7"
NS = {
    "pktcpuusagepcnt": 40,
    "memusagepcnt": 20.5,
    "mgmtcpuusagepcnt": 1,
    "rxmbitsrate": 100,
    "txmbitsrate": "50",
    "tcpcurclientconn": "1000",
}
NULLS = {**dict.fromkeys(REGISTRY), "counters": {}}


def sample(*nsips: str, **options: Any) -> dict[str, Any]:
    params = {"nodes": list(nsips), "nitro_pass": PASSWORD, "nitro_protocol": "http", **options}
    result = run_module("vpx_stat_info", params)
    assert PASSWORD not in str({key: value for key, value in result.items() if key != "invocation"})
    return result


def stat(**fields: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"errorcode": 0, "message": "Done", "severity": "NONE", "ns": {**NS, **fields}}


def test_two_that_report() -> None:
    with serving(LOGIN, stat(), LOGOUT) as one, serving(LOGIN, stat(pktcpuusagepcnt="60.0"), LOGOUT) as two:
        result = sample(one.nsip, two.nsip)
    assert not result["failed"]
    assert result["changed"] is False
    figures = {
        **NULLS,
        "memory": 20.5,
        "throughput": 150.0,
        "connections": 1000,
        "cpu_management": 1.0,
        "error": None,
    }
    assert result["nodes"] == [
        {**figures, "nsip": one.nsip, "reachable": True, "cpu": 40.0},
        {**figures, "nsip": two.nsip, "reachable": True, "cpu": 60.0},
    ]
    assert result["aggregate"] == {
        "cpu": 50.0,
        "memory": 20.5,
        "throughput": 300.0,
        "connections": 2000,
        "http_requests": None,
        "ena_limited": None,
        "nodes_total": 2,
        "nodes_reporting": 2,
        "figures_reporting": {
            **dict.fromkeys(OF_APPLIANCES, 0),
            **dict.fromkeys(("cpu", "memory", "throughput", "connections"), 2),
        },
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result["sampled_at"])
    for script in (one, two):
        assert script.calls == ["POST /config/login", "GET /stat/ns", "POST /config/logout"], "the call budget"


def test_the_load_of_a_pair_in_the_lab(fresh_lab: LabClient) -> None:
    boxes = launch(fresh_lab, "ab")
    wait_for(lambda: all(box.state()["stage"] == "ready" for box in boxes), "both have booted")
    for box in boxes:
        assert not box.bootstrap()["failed"]
    fresh_lab.load(instance_id=boxes[0].instance_id, cpu=90, memory=40, throughput=300, connections=2000)
    fresh_lab.load(instance_id=boxes[1].instance_id, cpu=10, memory=20, throughput=100, connections=1000)
    since = time.time()
    options = {"nitro_pass": BOX_PASSWORD, "ca_path": fresh_lab.ca_path}
    result = run_module("vpx_stat_info", {"nodes": [box.nsip for box in boxes], **options})
    assert [entry["error"] for entry in result["nodes"]] == [None, None]
    assert [entry["cpu"] for entry in result["nodes"]] == pytest.approx([90, 10], abs=5)
    assert result["aggregate"]["cpu"] == pytest.approx(50, abs=5)
    assert result["aggregate"]["memory"] == pytest.approx(30, abs=5)
    assert result["aggregate"]["throughput"] == pytest.approx(400, rel=0.1)
    assert result["aggregate"]["connections"] == pytest.approx(3000, rel=0.1)
    ops = sorted(call.op for call in fresh_lab.calls(since, side="nitro"))
    assert ops == ["GET /stat/ns"] * 2 + ["POST /config/login"] * 2 + ["POST /config/logout"] * 2

    fresh_lab.power(boxes[0].instance_id, on=False)
    result = run_module("vpx_stat_info", {"nodes": [box.nsip for box in boxes], "nitro_timeout": 2, **options})
    dark, bright = result["nodes"]
    assert (dark["reachable"], dark["cpu"]) == (False, None)
    assert bright["error"] is None
    assert result["aggregate"]["nodes_reporting"] == 1


@pytest.mark.parametrize(
    ("answer", "reachable", "message"),
    [
        ((200, "<html><head><title>Citrix ADC</title></head></html>"), True, "an HTML page titled 'Citrix ADC'"),
        ((200, '{ "errorcode": 0, "ns": { "pktcpuusagepcnt": 4'), True, "JSON that breaks off"),
        ((200, ""), True, "an empty body"),
        ((200, [1, 2]), True, "JSON that is no object"),
        ((200, {"errorcode": 0, "message": "Done", "severity": "NONE"}), True, "holds no figures"),
        ((200, {"errorcode": 0, "ns": "busy"}), True, "neither an object nor a list of objects"),
        ((200, {"errorcode": 0, "ns": [1, "x", None]}), True, "neither an object nor a list of objects"),
        ((599, {"errorcode": 257, "message": "Operation not permitted", "severity": "ERROR"}), True, "257"),
        ((503, "Service Unavailable"), False, "HTTP 503"),
    ],
)
def test_what_is_no_answer_is_an_error_of_that_node_alone(answer: Any, reachable: bool, message: str) -> None:
    with serving(LOGIN, stat(), LOGOUT) as good, serving(LOGIN, answer, LOGOUT) as bad:
        result = sample(bad.nsip, good.nsip)
    first, second = result["nodes"]
    assert not result["failed"]
    assert first["reachable"] is reachable
    assert message in first["error"]
    assert {name: first[name] for name in NULLS} == NULLS
    assert second["error"] is None
    assert (result["aggregate"]["cpu"], result["aggregate"]["nodes_reporting"]) == (40.0, 1)


def test_a_figure_that_cannot_be_believed_is_null_and_the_others_count() -> None:
    with serving(LOGIN, stat(pktcpuusagepcnt=4294967295, rxmbitsrate="n/a"), LOGOUT) as node:
        result = sample(node.nsip)
    (entry,) = result["nodes"]
    assert (entry["cpu"], entry["throughput"], entry["memory"]) == (None, None, 20.5)
    assert entry["error"] == (
        "pktcpuusagepcnt is 4294967295, which means not available; rxmbitsrate is 'n/a', not a number"
    )
    assert result["aggregate"]["cpu"] is None
    assert result["aggregate"]["connections"] == 1000


def test_a_missing_node_and_a_wrong_password() -> None:
    refused = (401, {"errorcode": 354, "message": "Invalid username or password", "severity": "ERROR"})
    with serving() as gone:
        pass
    with serving(refused) as closed:
        result = sample(gone.nsip, closed.nsip)
    unknown, locked = result["nodes"]
    assert (unknown["reachable"], locked["reachable"]) == (False, True)
    assert gone.nsip in unknown["error"]
    assert "354" in locked["error"]
    assert result["aggregate"] == {
        **dict.fromkeys(OF_APPLIANCES),
        "nodes_total": 2,
        "nodes_reporting": 0,
        "figures_reporting": dict.fromkeys(OF_APPLIANCES, 0),
    }


def test_counters_become_rates_with_an_earlier_result() -> None:
    """The four counters of the ENA driver, twice; the second reading names the first."""
    ena = REGISTRY["ena_limited"].fields
    with serving(LOGIN, stat(**dict.fromkeys(ena, "10")), LOGOUT) as one:
        first = sample(one.nsip)
    assert (first["nodes"][0]["ena_limited"], first["nodes"][0]["counters"]) == (None, {"ena_limited": 40.0})
    first = {name: first[name] for name in ("nodes", "aggregate")} | {"sampled_at": "2026-01-01T00:00:00Z"}
    with serving(LOGIN, stat(**dict.fromkeys(ena, "20")), LOGOUT) as again:
        first["nodes"][0]["nsip"] = again.nsip
        second = sample(again.nsip, earlier=first)
    assert 0 < second["nodes"][0]["ena_limited"] < 1
    assert second["aggregate"]["ena_limited"] == second["nodes"][0]["ena_limited"]
    refused = sample("192.0.2.1", earlier={"nodes": 7})
    assert "earlier is no result of vpx_stat_info" in refused["msg"]


@pytest.mark.parametrize("answers", [[SILENCE], [LOGIN, SILENCE]])
def test_one_that_hangs_costs_its_timeout_and_not_the_others(answers: list[Any]) -> None:
    with serving(LOGIN, stat(), LOGOUT) as good, serving(*answers) as hanging:
        begun = time.monotonic()
        result = sample(hanging.nsip, good.nsip, nitro_timeout=1)
        took = time.monotonic() - begun
    assert 1 <= took < 5, "silence lasts ten seconds"
    first, second = result["nodes"]
    assert (first["reachable"], first["cpu"]) == (False, None)
    assert "within 1 s" in first["error"]
    assert second["cpu"] == 40.0


def test_a_connection_cut_in_the_middle_is_asked_again() -> None:
    with serving(LOGIN, RESET, stat(), LOGOUT) as node:
        result = sample(node.nsip)
    assert result["nodes"][0]["cpu"] == 40.0


def test_one_that_trickles_is_given_up_in_time() -> None:
    with trickling() as nsip:
        begun = time.monotonic()
        result = sample(nsip, nitro_timeout=1)
        took = time.monotonic() - begun
    assert took < 5, "each byte comes within the timeout, the whole never"
    assert result["nodes"][0]["error"] == f"{nsip}: no complete answer within 1 s"


def test_thirty_two_are_asked_at_the_same_time() -> None:
    """Each answers only once all have been asked, so the task would not end otherwise."""
    together = threading.Barrier(32, timeout=20)
    with contextlib.ExitStack() as stack:
        nsips = [stack.enter_context(waiting_for(together)) for _turn in range(32)]
        result = sample(*nsips)
    assert result["aggregate"]["nodes_reporting"] == 32
    assert [entry["nsip"] for entry in result["nodes"]] == nsips


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nitro_pass": None}, "give nitro_pass or nitro_auth_token"),
        ({"nitro_timeout": 0}, "nitro_timeout must be above 0 seconds"),
        ({"nodes": ["10.0.1.10", "http://10.0.1.11"]}, "nsip 'http://10.0.1.11'"),
    ],
)
def test_unusable_options_fail_the_task(options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NETSCALER_NITRO_PASS", "NETSCALER_NITRO_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    params = {"nodes": ["127.0.0.1:9"], "nitro_pass": PASSWORD, "nitro_protocol": "http", **options}
    result = run_module("vpx_stat_info", params)
    assert result["failed"]
    assert message in result["msg"]


# ---------------------------------------------------------------------- servers of this file's own


class _Appliance(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(b'{ "errorcode": 0, "message": "Done", "severity": "NONE", "sessionid": "##A" }', 201)

    def do_GET(self) -> None:
        self.answer(b'{ "errorcode": 0, "ns": { "pktcpuusagepcnt": 1 } }', 200)

    def answer(self, data: bytes, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def waiting_for(together: threading.Barrier) -> Iterator[str]:
    class Handler(_Appliance):
        def do_GET(self) -> None:
            together.wait()
            super().do_GET()

    with listening(Handler) as nsip:
        yield nsip


@contextlib.contextmanager
def trickling() -> Iterator[str]:
    over = threading.Event()

    class Handler(_Appliance):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                while not over.wait(0.2):
                    self.wfile.write(b"H")

    with listening(Handler) as nsip:
        try:
            yield nsip
        finally:
            over.set()
