"""What role preflight says when a module of amazon.aws does not say why EC2 refused."""

from __future__ import annotations

from typing import Any

import pytest

from .templating import evaluate

CREATE = "Unable to create security group: Failed to create security group"
KEYS = "Failed to list EC2 key pairs: Failed to describe key pairs"
BALANCING = "elasticloadbalancing:DescribeTargetGroups"
RULES = "Unable to authorize ingress rules: [{'IpProtocol': 'tcp'}]: Failed to authorize security group ingress"


@pytest.mark.parametrize(
    ("said", "tried"),
    [
        (CREATE, ["ec2:CreateSecurityGroup", "ec2:CreateTags"]),
        (KEYS, ["ec2:DescribeKeyPairs"]),
        (f"{KEYS}.", ["ec2:DescribeKeyPairs"]),
        ("Failed to describe Target Groups: Failed to describe target groups", [BALANCING]),
        (RULES, ["ec2:AuthorizeSecurityGroupIngress"]),
        ("Failed to describe subnets: An error occurred (UnauthorizedOperation) when calling …", []),
        ("The VPC has no subnets", []),
        ("", []),
    ],
)
def test_what_was_tried(said: str, tried: list[str]) -> None:
    assert evaluate("preflight", "__preflight_tried", ansible_failed_result={"msg": said}) == tried


def why(said: str, **statuses: str) -> str:
    rows = [{"subject": f"ec2:{action}", "status": status} for action, status in statuses.items()]
    answer = {"checks": [{"subject": "account 1", "status": "ok"}, *rows]}
    found = evaluate(
        "preflight", "__preflight_why_refused", ansible_failed_result={"msg": said}, preflight_answer=answer
    )
    return str(found)


def test_rights_that_are_missing_are_named() -> None:
    assert why(KEYS, DescribeKeyPairs="failed") == ": ec2:DescribeKeyPairs is not permitted"
    assert why(CREATE, CreateSecurityGroup="ok", CreateTags="failed") == ": ec2:CreateTags is not permitted"
    both = why(CREATE, CreateSecurityGroup="failed", CreateTags="failed")
    assert both == ": ec2:CreateSecurityGroup and ec2:CreateTags is not permitted"


def test_a_right_that_is_there_is_not_the_reason() -> None:
    there = ". The right to it is there, so the reason is another, such as a quota."
    assert why(KEYS, DescribeKeyPairs="ok") == there
    assert why(CREATE, CreateSecurityGroup="ok", CreateTags="ok") == there


@pytest.mark.parametrize("answer", [{"failed": False, "msg": "no credentials"}, {"checks": []}])
def test_without_an_answer_it_is_only_possible(answer: dict[str, Any]) -> None:
    said = evaluate(
        "preflight", "__preflight_why_refused", ansible_failed_result={"msg": KEYS}, preflight_answer=answer
    )
    assert said == ". Why is not said; it may be that ec2:DescribeKeyPairs is not permitted."


def test_a_sentence_that_says_why_is_left_alone() -> None:
    skipped = {"skipped": True}
    said = {"msg": "There is no subnet subnet-1"}
    assert evaluate("preflight", "__preflight_why_refused", ansible_failed_result=said, preflight_answer=skipped) == ""
