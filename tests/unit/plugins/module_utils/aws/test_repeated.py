"""Writes that cannot be taken back are judged again before the SDK repeats them, and when they are late."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.repeated import judged_again
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal


class _Body(io.BytesIO):
    def stream(self, **_options: Any) -> list[bytes]:
        return [self.read()]


class _Ec2:
    """A client whose first calls are not answered. ``sent``: how many were sent, answered or not."""

    def __init__(self, unanswered: int = 1) -> None:
        config = Config(retries={"mode": "standard", "total_max_attempts": 4})
        self.client = boto3.client(
            "ec2", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b", config=config
        )
        self.sent, self._unanswered = 0, unanswered
        self.client.meta.events.register_last("before-send", self._answer)

    def _answer(self, request: Any, **_more: Any) -> AWSResponse:
        self.sent += 1
        if self.sent <= self._unanswered:
            raise ReadTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, 200, HeadersDict(), _Body(b"<x/>"))

    def terminate(self) -> None:
        self.client.terminate_instances(InstanceIds=["i-1"])


@pytest.fixture(autouse=True)
def without_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


def test_unanswered_write_is_judged_again_before_it_is_repeated() -> None:
    ec2, verdicts = _Ec2(), iter([None])
    with judged_again(ec2.client, "TerminateInstances", lambda: next(verdicts), 30.0):
        ec2.terminate()
    assert ec2.sent == 2
    assert next(verdicts, "judged") == "judged"


def test_unanswered_write_is_not_repeated_when_it_is_not_justified_any_more() -> None:
    ec2 = _Ec2()

    def judge() -> None:
        raise Refusal("i-1 is in service")

    with (
        judged_again(ec2.client, "TerminateInstances", judge, 30.0),
        pytest.raises(Refusal, match="in service"),
    ):
        ec2.terminate()
    assert ec2.sent == 1
    ec2.terminate()
    assert ec2.sent == 2, "the judgement is for that one call"


def test_late_write_is_judged_again() -> None:
    """The process stands still between the judgement and the call."""
    ec2, now, judged = _Ec2(unanswered=0), [0.0], []
    with judged_again(ec2.client, "TerminateInstances", lambda: judged.append(now[0]), 30.0, lambda: now[0]):
        now[0] = 29.0
        ec2.terminate()
        assert judged == []
        now[0] = 300.0
        ec2.terminate()
        ec2.terminate()
    assert judged == [300.0]
