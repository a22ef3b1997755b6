"""The IAM policies that are shipped: their form, so that tools can read them, and that IAM takes them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.rights import Scope, narrowed
from tests.lab.aws.iam.policy import read_policy
from tests.lab.settings import CHECKOUT

POLICIES = sorted((CHECKOUT / "roles" / "preflight" / "files" / "policies").glob("*.json"))
#: What a playbook that makes the appliances' role needs besides, and what limits that role.
OF_ROLES = {"managed_role", "permissions_boundary"}
OF_PLAYBOOKS = [path for path in POLICIES if not path.stem.startswith("appliance_") and path.stem not in OF_ROLES]
NO_RIGHTS = {"controller", "preflight", "rights", "upgrade"}
"""Playbooks that need none of AWS, that do without what they may not, that are for an administrator, or that build a
pair and have the policy of ``ha_pair``."""
#: Of a managed policy, without white space (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
MOST_CHARACTERS = 6144
CASES = (
    *("Nlb", "Dns", "Dynamodb", "Cloudwatch", "PortErrors", "FollowedGroups", "Cluster", "Boundary", "ElasticIps"),
    *("Sns", "EventBridge", "Pair"),
    *("PrivateIps", "Routes"),
    *("KmsKey", "CreateBucket"),
)


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
        assert statement["Effect"] == "Allow" or path.stem == "managed_role"
        case = re.search(r"With([A-Za-z]+)$", statement["Sid"])
        assert case is None or case[1] in CASES
        assert statement["Action"] == sorted(set(statement["Action"])), "sorted, each once"


#: Actions that change something and for which AWS knows neither a resource nor a key that tells ours from others'.
UNCONDITIONED = {"cloudwatch:PutMetricData", "route53:CreateHealthCheck", "sns:ListTopics", "sqs:ListQueues"}
READING = ("Describe", "Get", "List")


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_what_changes_something_is_limited(path: Path) -> None:
    """By condition or by ARN. The vendor's lists name whole services, which docs/security.md says."""
    open_to_all = {
        action
        for one in statements(path)
        if one["Effect"] == "Allow" and one["Resource"] == "*" and "Condition" not in one
        for action in one["Action"]
        if not action.partition(":")[2].startswith(READING)
    }
    vendor = {action for action in open_to_all if action.startswith(("autoscaling:", "cloudwatch:", "sns:", "sqs:"))}
    assert open_to_all - UNCONDITIONED <= (vendor if path.stem.endswith("_vendor") else set())


@pytest.mark.parametrize("path", OF_PLAYBOOKS, ids=lambda path: path.stem)
def test_narrowed_to_one_name_nothing_is_left_to_narrow(path: Path) -> None:
    boundary = "arn:aws:iam::123456789012:policy/cloudadc-vpx-boundary"
    scope = Scope(("shop",), "123456789012", "aws", boundary, ("eipalloc-1",), "Z1", ("a.b",))
    text = json.dumps(narrowed(json.loads(path.read_text()), scope))
    assert "*-vpx" not in text
    assert not re.search(r'cloudadc:group": "\*"', text)
    assert len(re.sub(r"\s", "", text)) <= MOST_CHARACTERS


@pytest.mark.parametrize("path", OF_PLAYBOOKS, ids=lambda path: path.stem)
def test_actions_are_written_out(path: Path) -> None:
    assert not [action for one in statements(path) for action in one["Action"] if "*" in action]
