"""The first hour with a pair, as the README tells it: its file, its commands, and what a reader sees."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.reader import Reader
from tests.lab.client import wait_for
from tests.lab.settings import CHECKOUT

SOURCE = CHECKOUT / "extensions" / "eda" / "plugins" / "event_source" / "ha_watch.py"
PAIR = ("-e", "@pair.yml")


@pytest.fixture(scope="module")
def built(reader: Reader) -> str:
    """Return the pair of the README, built by its command: what it printed."""
    answer = reader.play("ha_pair", *PAIR)
    assert answer.code == 0, answer.text
    reader.lab.keep("pair")
    return answer.message


def test_check_mode_predicts_what_is_launched_and_billed(reader: Reader) -> None:
    answer = reader.play("ha_pair", *PAIR, "--check")
    assert (answer.code, answer.writes) == (0, []), answer.text
    for line in (
        "Pair edge: 0 of 2 instances exist. Check mode: nothing was changed.",
        "would launch 2 x m5.xlarge (node 0 in eu-central-1a, node 1 in eu-central-1b), billed by the hour",
        "would allocate an Elastic IP, billed by the hour",
        "would create security group edge-client",
        "would then bootstrap, join and configure the nodes for web (HTTP, port",
    ):
        assert line in answer.message


def test_pair_is_built_and_the_last_message_is_a_page_for_a_ticket(built: str) -> None:
    for part in (
        "Pair edge: node 0 is primary",
        "serves web (HTTP",
        "clients call",
        "Billed by AWS: 2 x m5.xlarge",
        "Next: ",
    ):
        assert part in built
    assert "DEPRECATION" not in built


def test_second_run_in_check_mode_would_change_nothing(reader: Reader, built: str) -> None:
    answer = reader.play("ha_pair", *PAIR, "--check", "--diff")
    assert (answer.code, answer.writes) == (0, []), answer.text
    assert "would change nothing" in answer.message
    assert "--- before" not in answer.text


def test_planned_failover_says_who_is_primary_and_what_clients_call(reader: Reader, built: str) -> None:
    reader.lab.restore("pair")
    answer = reader.play("ha_failover", *PAIR)
    assert answer.code == 0, answer.text
    assert "Pair edge: node 1" in answer.message
    assert "is primary. " in answer.message.replace('", "', " ")
    assert "as before." in answer.message


# ---------------------------------------------------------------------- the rulebook's source with the same file


def arguments(reader: Reader) -> dict[str, Any]:
    """Return what ansible-rulebook hands to the source: values of the file as they are written, templates included."""
    given = yaml.safe_load((reader.folder / "pair.yml").read_text())
    names = ("region", "management_tls", "nitro_port")
    return {
        "group": given["ha_pair_name"],
        "nitro_pass": given["ha_pair_password"],
        **{n: given[f"ha_pair_{n}"] for n in names},
    }


@contextmanager
def watching(reader: Reader, **environment: str) -> Iterator[Path]:
    """Start the source as the guide does by hand; yield the file of what it prints."""
    printed = reader.folder / f"watch-{time.time():.3f}.log"
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(SOURCE), json.dumps(arguments(reader))],
            env=reader.lab.environment(NETSCALER_NITRO_PASS="", **{**reader.environment, **environment}),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield printed
    finally:
        process.kill()
        process.wait()


def test_rulebook_source_resolves_the_password_of_the_readers_file(reader: Reader, built: str) -> None:
    reader.lab.restore("pair")
    with watching(reader) as printed:
        wait_for(lambda: '"watching"' in printed.read_text(), "the source watches", seconds=60)
    assert "login_refused" not in printed.read_text()


def test_rulebook_source_reports_a_refused_login_at_once(reader: Reader, built: str) -> None:
    reader.lab.restore("pair")
    with watching(reader, VPX_PASSWORD="another-password") as printed:
        wait_for(lambda: '"login_refused"' in printed.read_text(), "the refusal is reported", seconds=60)
    text = printed.read_text()
    assert "354" in text
    assert "edge node 0: " in text
    assert "another-password" not in text


def test_pair_is_removed_by_its_name_alone(reader: Reader, built: str) -> None:
    reader.lab.restore("pair")
    answer = reader.play(
        "ha_pair", "-e", "ha_pair_name=edge", "-e", "ha_pair_region=eu-central-1", "-e", "ha_pair_state=absent"
    )
    assert answer.code == 0, answer.text
    assert "The pair edge is removed." in answer.message
    assert reader.lab.boto("ec2").describe_addresses()["Addresses"] == []
