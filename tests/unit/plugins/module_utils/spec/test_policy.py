"""A policy is read once, leniently in its types and strictly in its meaning."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.errors import PolicyError
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.policy import Limit, Policy

from ..scaling.scenario import policy, policy_dict


def test_the_example() -> None:
    rules = policy("dns")
    assert rules.metrics == (Limit("memory", 40.0, 85.0),)
    assert (rules.samples, rules.interval, rules.step, rules.ttl) == (3, 60.0, 1, 60.0)
    assert (rules.distributor, rules.cached) == ("dns", True)


def test_numbers_as_text_the_way_surveys_send_them() -> None:
    as_text = {
        "metrics": {"memory": {"min": "40", "max": " 85.0 "}},
        "watch_time": "3",
        "interval": "60",
        "cooldown": "10",
        "drain_timeout": "10",
        "distributor": "nlb",
        "min_nodes": "2",
        "max_nodes": "6",
        "step": "1",
        "ttl": "",
    }
    assert Policy.from_dict(as_text) == policy()


def test_keys_without_a_value_count_as_not_given() -> None:
    unset = {"ttl": None, "step": None, "interval": None, "metrics": {"memory": {"min": 40, "max": 85}, "cpu": None}}
    assert Policy.from_dict({**policy_dict(), **unset}) == policy()


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy().max_nodes = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("watch", "interval", "samples"), [(3, 60, 3), (2.5, 60, 3), (1, 60, 1), (5, 300, 1), (0.5, 10, 3), (0.1, 2, 3)]
)
def test_samples_in_the_watch_window(watch: float, interval: float, samples: int) -> None:
    assert policy(watch_time=watch, interval=interval).samples == samples


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"metrics": None}, "metrics must name at least one of cpu, memory, throughput, connections"),
        ({"metrics": {}}, "metrics is empty"),
        ({"metrics": "cpu"}, "metrics must name at least one"),
        ({"metrics": {"disk": {"min": 1, "max": 2}}}, "metrics.disk: no such metric; known are cpu, memory"),
        ({"metrics": {"cpu": {"min": 85, "max": 85}}}, "metrics.cpu: min 85 must be below max 85"),
        ({"metrics": {"cpu": {"min": 85, "max": 40}}}, "metrics.cpu: min 85 must be below max 40"),
        ({"metrics": {"cpu": {"min": -1, "max": 40}}}, "metrics.cpu.min -1 is negative"),
        ({"metrics": {"cpu": {"min": 40, "max": 850}}}, "metrics.cpu.max 850 is above 100 %"),
        ({"metrics": {"cpu": {"max": 40}}}, "metrics.cpu.min is missing"),
        ({"metrics": {"cpu": {"min": 1, "max": 2, "avg": 3}}}, "metrics.cpu.avg: no such key"),
        ({"metrics": {"cpu": 80}}, "metrics.cpu must be a dictionary with min and max, not 80"),
        ({"metrics": {"cpu": {"min": True, "max": 40}}}, "metrics.cpu.min must be a number, not True"),
        ({"metrics": {"cpu": {"min": float("nan"), "max": 40}}}, "metrics.cpu.min must be a number, not nan"),
        ({"metrics": {"cpu": {"min": "NaN", "max": 40}}}, "metrics.cpu.min must be a number, not 'NaN'"),
        ({"metrics": {"throughput": {"min": 1, "max": float("inf")}}}, "metrics.throughput.max must be a number"),
        ({"watch_time": None}, "watch_time is missing"),
        ({"watch_time": 0}, "watch_time must be more than 0 minutes, not 0"),
        ({"cooldown": -1}, "cooldown must be more than 0 minutes, not -1"),
        ({"drain_timeout": 0}, "drain_timeout must be more than 0 minutes"),
        ({"cooldown": 1e300}, "cooldown must be at most 525600 minutes, not 1e+300"),
        ({"interval": 0}, "interval must be more than 0 seconds"),
        ({"interval": "soon"}, "interval must be a number, not 'soon'"),
        ({"watch_time": 0.5}, "watch_time 0.5 minutes is shorter than the interval of 60 seconds"),
        ({"min_nodes": 0}, "min_nodes must be a whole number of at least 1, not 0"),
        ({"min_nodes": 1.5}, "min_nodes must be a whole number of at least 1, not 1.5"),
        ({"min_nodes": 7}, "min_nodes 7 is above max_nodes 6"),
        ({"max_nodes": None}, "max_nodes is missing"),
        ({"max_nodes": True}, "max_nodes must be a number, not True"),
        ({"max_nodes": 10**400}, "max_nodes must be a number"),
        ({"step": 0}, "step must be a whole number of at least 1"),
        ({"distributor": "alb"}, "distributor 'alb' is unknown; it is one of nlb, dns"),
        ({"distributor": None}, "distributor is missing; it is one of nlb, dns"),
        ({"ttl": 60}, "ttl is for the distributor dns"),
        ({"cool_down": 5}, "cool_down: no such key; known are cooldown, distributor"),
    ],
)
def test_bad_input_gets_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    given = {key: value for key, value in {**policy_dict(), **changes}.items() if value is not None}
    with pytest.raises(PolicyError) as refusal:
        Policy.from_dict(given)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("ttl", "sentence"),
    [(None, "ttl is missing"), (0, "ttl must be more than 0 seconds"), (1.5, "ttl must be whole seconds")],
)
def test_dns_needs_a_ttl(ttl: float | None, sentence: str) -> None:
    with pytest.raises(PolicyError, match=sentence):
        policy("dns", ttl=ttl)


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(PolicyError) as refusal:
        policy(watch_time=0, cooldown="x", max_nodes=1)
    assert str(refusal.value) == (
        "policy: watch_time must be more than 0 minutes, not 0; cooldown must be a number, not 'x'; "
        "min_nodes 2 is above max_nodes 1"
    )


def test_a_policy_is_a_dictionary() -> None:
    with pytest.raises(PolicyError, match="policy must be a dictionary, not 'cpu'"):
        Policy.from_dict("cpu")


def test_back_off_grows_and_is_bounded() -> None:
    assert [policy().backoff(failures) for failures in range(1, 9)] == [120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert policy(cooldown=90).backoff(500) == 90 * 60
