"""The IAM policies that are shipped: their form, so that tools can read them, and that IAM takes them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.lab.aws.iam.policy import read_policy
from tests.lab.settings import CHECKOUT

POLICIES = sorted((CHECKOUT / "roles" / "preflight" / "files" / "policies").glob("*.json"))
OF_PLAYBOOKS = [path for path in POLICIES if not path.stem.startswith("appliance_")]
NO_RIGHTS = {"controller", "preflight"}
"""Playbooks that need none of AWS, and the one that asks for those of the others and does without what it may not."""
#: Of a managed policy, without white space (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
MOST_CHARACTERS = 6144
CASES = ("Nlb", "Dns", "Dynamodb", "Cloudwatch", "PortErrors", "FollowedGroups", "Cluster", "Boundary")


def statements(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["Statement"]
    return found


def test_every_playbook_has_one() -> None:
    playbooks = {path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")}
    assert playbooks - NO_RIGHTS <= {path.stem for path in OF_PLAYBOOKS} <= playbooks


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_iam_takes_it(path: Path) -> None:
    assert read_policy(path.read_text())
    assert len(re.sub(r"\s", "", path.read_text())) <= MOST_CHARACTERS


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_the_form(path: Path) -> None:
    for statement in statements(path):
        assert statement["Effect"] == "Allow"
        case = re.search(r"With([A-Za-z]+)$", statement["Sid"])
        assert case is None or case[1] in CASES
        assert statement["Action"] == sorted(set(statement["Action"])), "sorted, each once"


@pytest.mark.parametrize("path", OF_PLAYBOOKS, ids=lambda path: path.stem)
def test_actions_are_written_out(path: Path) -> None:
    assert not [action for one in statements(path) for action in one["Action"] if "*" in action]
