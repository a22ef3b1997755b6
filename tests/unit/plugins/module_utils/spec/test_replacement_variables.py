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
    definition, problems = read_upgrade(given)
    assert problems == []
    expected = {"method": "replace", "bake_time": 600, "serve_timeout": 60, "ignore_missing": True, "backup_bucket": ""}
    assert expected.items() <= definition.items()
    _definition, problems = read_upgrade({"ha_upgrade_bake_tme": 1, "ha_upgrade_serve_timeout": 0})
    assert problems == [
        "The role ha_upgrade has no variable ha_upgrade_bake_tme. Did you mean ha_upgrade_bake_time?",
        "ha_upgrade_serve_timeout must be a whole number of at least 1, not 0.",
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"build": "14.1-80.10", "url": "https://user:word@builds/b.tgz"}, None),
        ({"build": "14.1-80.10", "url": "file:///var/nsinstall/b.tgz"}, None),
        ({"url": "https://builds/b.tgz"}, "ha_upgrade_build must be a build such as 14.1-72.61, not empty."),
        ({"build": "14.1-80.10"}, "ha_upgrade_url must begin with http://"),
        ({"build": "14.1-80.10", "url": "s3://bucket/b.tgz"}, "ha_upgrade_url must begin with http://"),
        ({"build": "14.1-80.10", "url": "https://builds"}, "ha_upgrade_url names no file."),
        ({"build": "14.1-80.10", "url": "https://b/b", "return_url": "b.tgz"}, "ha_upgrade_return_url must begin"),
        ({"build": "14.1-80.10", "url": "https://b/b", "issu": "perhaps"}, "ha_upgrade_issu"),
    ],
)
def test_an_upgrade_in_place_names_a_build_and_where_its_file_is(given: dict[str, Any], problem: str | None) -> None:
    _definition, problems = read_upgrade(
        {"ha_upgrade_method": "install", **{f"ha_upgrade_{k}": given[k] for k in given}}
    )
    assert bool(problems) == (problem is not None), problems
    assert problem is None or problem in problems[0]
    assert "word" not in str(problems)


def test_a_build_needs_the_method_that_installs_it() -> None:
    assert read_upgrade({"ha_upgrade_build": "14.1-80.10"})[1] == ["ha_upgrade_build needs ha_upgrade_method: install."]
