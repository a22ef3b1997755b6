"""The rows as a person reads them, and what happens to questions that are not answered."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.core.parallel import ask_all
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight import api, verdicts
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.rows import (
    Row,
    Status,
    failed,
    ok,
    passed,
    skipped,
    warning,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.preflight.table import WIDTH, fold, table

from .plans import plan, refusal, subnet

WORDS = st.text("abc :-/0123456789", max_size=200)


@given(
    st.lists(st.builds(Row, st.sampled_from(["quota", "rights"]), WORDS, st.sampled_from(Status), WORDS), max_size=8)
)
def test_no_line_is_too_long_and_no_trouble_is_folded_away(rows: list[Row]) -> None:
    lines = table(rows)
    assert max(map(len, lines)) <= WIDTH
    assert sum(line.startswith("FAILED") for line in lines) == sum(row.status is Status.FAILED for row in rows)


def test_columns_are_aligned() -> None:
    head, first, second, third = table([ok("clock", "this machine", "well"), failed("quota", "x", "many " * 20)])
    assert (head[:6], first[:2], second[:6]) == ("STATUS", "ok", "FAILED")
    assert head.index("RESULT") == first.index("well") == second.index("many") == third.index("many")
    assert third.strip().startswith("many")


def test_allowed_rights_are_a_row_a_service() -> None:
    rows = [
        ok("rights", "ec2:A", "allowed"),
        failed("rights", "ec2:B", "not allowed"),
        ok("rights", "iam:A", "allowed"),
        ok("rights", "ec2:C", "allowed"),
        failed("rights", "ec2:D", "not allowed"),
        warning("rights", "ec2:E", "unknown"),
        warning("rights", "ec2:F", "unknown"),
    ]
    assert [(row.subject, row.message) for row in fold(rows)] == [
        ("ec2, 2 actions", "allowed"),
        ("ec2:B", "not allowed"),
        ("iam:A", "allowed"),
        ("ec2:D", "not allowed"),
        ("ec2, 2 actions", "unknown: E, F"),
    ]


def test_only_what_failed_fails() -> None:
    assert passed([ok("a", "", ""), warning("a", "", ""), skipped("a", "", "")])
    assert not passed([ok("a", "", ""), failed("a", "", "")])


def test_a_question_that_hangs_hides_no_other() -> None:
    release = threading.Event()
    began = time.monotonic()
    answers = ask_all(
        {
            "hangs": release.wait,
            "nonsense": lambda: {}["Reservations"],
            "refused": lambda: _raise(refusal("AccessDenied")),
            "good": lambda: 7,
        },
        timeout=0.3,
    )
    release.set()
    assert time.monotonic() - began < 5
    assert answers["good"] == 7
    assert str(answers["hangs"]) == "no answer within 0.3 s"
    assert str(answers["nonsense"]) == "the answer made no sense (KeyError: 'Reservations')"
    assert isinstance(answers["refused"], AwsError)


def _raise(error: Exception) -> Any:
    raise error


UNREAD = Failure("AWS answered UnauthorizedOperation")
NAMES = ["instances", "types", "images", "subnets", "interfaces", "addresses", "attributes", "tables", "endpoints"]
CODES = ["L-0263D0A3", "L-DF5E4CA3", "L-1216C47A"]


@pytest.mark.parametrize("nonsense", [UNREAD, None, [{}], [{"Unexpected": 1}], {"Error": "x"}, "<html>", 7])
def test_answers_without_sense_are_rows(nonsense: Any) -> None:
    """Whatever AWS answers, or who answers in its place: each check has its row, and none raises."""
    answers = verdicts.Answers(dict.fromkeys(NAMES + CODES, nonsense))
    chosen = plan(elastic_ips=1)
    rows = [*verdicts.launches(chosen, answers), *verdicts.networks(chosen, answers), *verdicts.limits(chosen, answers)]
    assert {row.check for row in rows} == {"image", "instance type", "launch", "subnets", "route", "quota"}
    assert "ok" not in {row.status.value for row in rows if nonsense in (UNREAD, None)}


def test_one_answer_that_is_missing_makes_one_row() -> None:
    found: dict[str, Any] = {**{name: [] for name in NAMES}, **dict.fromkeys(CODES, 50)}
    found["subnets"] = [subnet(role) for role in ("management", "client", "server")]
    found["tables"] = UNREAD
    rows = verdicts.networks(plan(), verdicts.Answers(found))
    assert [(row.check, row.status.value) for row in rows] == [("subnets", "ok"), ("route", "warning")]
    assert "could not be checked: AWS answered UnauthorizedOperation" in rows[1].message


class Quotas:
    """Service Quotas in which a quota was never applied, and an unknown one."""

    def get_service_quota(self, **_asked: str) -> Any:
        raise self._unknown("GetServiceQuota")

    def get_aws_default_service_quota(self, ServiceCode: str, QuotaCode: str) -> Any:
        if QuotaCode != "L-DF5E4CA3":
            raise self._unknown("GetAWSDefaultServiceQuota")
        return {"Quota": {"Value": 5000.0}}

    @staticmethod
    def _unknown(operation: str) -> ClientError:
        return ClientError({"Error": {"Code": "NoSuchResourceException", "Message": "no"}}, operation)


def test_a_quota_that_was_never_applied_has_its_default() -> None:
    assert api.get_quota(Quotas(), "vpc", "L-DF5E4CA3") == 5000
    assert api.get_quota(Quotas(), "vpc", "L-00000000") is None
