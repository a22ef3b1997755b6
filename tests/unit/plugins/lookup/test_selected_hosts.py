"""Lookup selected_hosts refuses a pattern or a limit that selects no host, and every playbook asks it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

from ansible_collections.cloudadc.aws.plugins.lookup.selected_hosts import LookupModule
from tests.lab.settings import CHECKOUT

INVENTORY = {"all": ["shop-a", "shop-b"], "ungrouped": [], "shops": ["shop-a", "shop-b"]}
PLAYBOOKS = (
    *("application", "autoscale", "autoscale_group", "controller", "ha_failover", "ha_pair", "preflight", "report"),
    *("rights", "scale_in", "scale_out", "backup", "restore", "status", "alarms"),
)


def selected(
    pattern: str, limit: str | None, groups: dict[str, list[str]] | None = None, also: tuple[str, ...] = ()
) -> list[str]:
    variables: dict[str, Any] = {"groups": INVENTORY if groups is None else groups}
    if limit is not None:
        variables["ansible_limit"] = limit
    found: list[str] = LookupModule(loader=DataLoader()).run([pattern], variables, also=list(also))
    return found


def test_limit_to_hosts_of_another_play_is_no_error() -> None:
    assert selected("localhost", "shop-a", also=("shops",)) == ["localhost"]
    with pytest.raises(AnsibleError, match="excludes localhost"):
        selected("localhost", "nosuch", also=("shops",))


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        ("localhost", None),
        ("localhost", "localhost"),
        ("localhost", "all:localhost"),
        ("shops", "shop-a"),
        ("all", "s*"),
    ],
)
def test_pattern_that_selects_a_host_is_returned(pattern: str, limit: str | None) -> None:
    assert selected(pattern, limit) == [pattern]
    if pattern == "localhost":
        assert selected(pattern, limit, {}) == [pattern], "without an inventory"


@pytest.mark.parametrize(
    ("pattern", "limit", "sentence"),
    [
        ("shop-c", None, "The pattern 'shop-c' matches no host"),
        ("localhost", "shop-a", "The limit 'shop-a' excludes localhost"),
        ("localhost", "nosuch", "The limit 'nosuch' excludes localhost"),
        ("shop-a", "shop-b", "The limit 'shop-b' excludes shop-a"),
        ("shops", "shops:!shops", "excludes shops"),
    ],
)
def test_empty_selection_is_an_error(pattern: str, limit: str | None, sentence: str) -> None:
    with pytest.raises(AnsibleError, match=sentence):
        selected(pattern, limit)


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_first_play_of_a_playbook_asks_it(name: str) -> None:
    plays = yaml.safe_load((CHECKOUT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))
    assert "cloudadc.aws.selected_hosts" in plays[0]["hosts"]
