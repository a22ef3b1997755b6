"""Variables that name a node to be replaced, and those of an upgrade."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.upgrade import read_upgrade


def about(problems: list[str], name: str) -> list[str]:
    return [problem for problem in problems if name in problem]


@pytest.mark.parametrize(
    ("given", "value", "problem"),
    [
        ("", "", False),
        (0, "0", False),
        ("1", "1", False),
        ("i-0123456789abcdef0", "i-0123456789abcdef0", False),
        (2, "", True),
        ("node 1", "", True),
        (True, "", True),
    ],
)
def test_a_node_of_a_pair_is_named_by_its_node_id_or_its_instance(given: Any, value: str, problem: bool) -> None:
    definition, problems = read_pair({"ha_pair_name": "shop", "ha_pair_replace_node": given})
    assert definition["replace_node"] == value
    assert bool(about(problems, "ha_pair_replace_node")) is problem


@pytest.mark.parametrize(
    ("given", "value", "problem"),
    [
        ("", "", ""),
        ("i-0123456789abcdef0", "i-0123456789abcdef0", ""),
        ("outdated", "outdated", ""),
        (1, "", "must be the id of an instance (i-...) or outdated, not 1."),
    ],
)
def test_a_node_of_a_group_is_named_by_its_instance(given: Any, value: str, problem: str) -> None:
    store = {"type": "dynamodb", "table": "cloudadc"}
    variables = {"autoscale_group_name": "shop", "autoscale_group_store": store}
    definition, problems = read_group({**variables, "autoscale_group_replace_node": given})
    assert definition["replace_node"] == value
    assert [one.partition("replace_node ")[2] for one in about(problems, "replace_node")] == ([problem] * bool(problem))


def test_variables_of_an_upgrade_may_be_texts_and_unknown_ones_are_named() -> None:
    given = {"ha_upgrade_bake_time": "600", "ha_upgrade_ignore_missing": "true"}
    definition = {"bake_time": 600, "serve_timeout": 60, "ignore_missing": True, "backup_bucket": ""}
    assert read_upgrade(given) == (definition, [])
    _definition, problems = read_upgrade({"ha_upgrade_bake_tme": 1, "ha_upgrade_serve_timeout": 0})
    assert problems == [
        "The role ha_upgrade has no variable ha_upgrade_bake_tme. Did you mean ha_upgrade_bake_time?",
        "ha_upgrade_serve_timeout must be a whole number of at least 1, not 0.",
    ]
