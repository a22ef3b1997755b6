"""What role preflight says of a security group that could not be created."""

from __future__ import annotations

from typing import Any

import pytest

from .templating import evaluate


def answer(status: str) -> dict[str, Any]:
    return {
        "checks": [{"subject": "account 1", "status": "ok"}, {"subject": "ec2:CreateSecurityGroup", "status": status}]
    }


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (answer("failed"), ": ec2:CreateSecurityGroup is not permitted"),
        (answer("ok"), ". The right to it is there: look at how many security groups the VPC has, and may have."),
        (answer("warning"), ""),
        ({"skipped": True}, ""),
        ({"failed": False, "msg": "no credentials"}, ""),
    ],
)
def test_why_there_is_none(answered: dict[str, Any], said: str) -> None:
    assert evaluate("preflight", "__preflight_why_no_security_group", preflight_answer=answered) == said
