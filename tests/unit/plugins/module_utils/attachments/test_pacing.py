"""How fast writes are repeated against EC2's buckets, in simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.attachments import changes as engine
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.pacing import REFILL, WriteRate
from ansible_collections.cloudadc.aws.plugins.module_utils.attachments.route_plan import RouteChange
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.routes import Route, RouteTable
from tests.lab.aws.request_tokens import RequestTokens

Outcome = engine.Outcome[RouteChange, RouteTable]


@dataclass
class Region:
    """Routes behind the bucket of ReplaceRoute. ``now``: seconds; a call takes none."""

    targets: dict[str, str]
    tokens: RequestTokens = field(default_factory=RequestTokens)
    now: float = 0.0
    calls: int = 0
    refused: int = 0
    reads: int = 0

    def write(self, batch: Sequence[Outcome]) -> None:
        [outcome] = batch
        self.calls += 1
        if not self.tokens.take("ReplaceRoute", {}, self.now):
            self.refused += 1
            raise AwsError(
                "Failed to replace", ClientError({"Error": {"Code": "RequestLimitExceeded"}}, "ReplaceRoute")
            )
        self.targets[outcome.move.key] = outcome.move.after

    def read(self, moves: Sequence[RouteChange]) -> dict[str, RouteTable]:
        self.reads += 1
        return {
            move.key: RouteTable(
                move.route_table_id, "vpc-1", {move.destination: Route(move.destination, self.targets[move.key])}
            )
            for move in moves
        }

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, timeout: float = 30.0) -> list[Outcome]:
        moves = [RouteChange(*key.split(), "eni-a", "eni-b") for key in self.targets]
        effects: engine.Effects[RouteChange, RouteTable] = engine.Effects(self.write, self.read)
        return engine.carry_out(moves, effects, timeout, clock=lambda: self.now, sleep=self.sleep)


def region(count: int) -> Region:
    return Region({f"rtb-{number} 10.99.0.9/32": "eni-a" for number in range(count)})


@pytest.mark.parametrize("count", [50, 51, 100, 300])
def test_throttled_writes_are_repeated_at_the_rate_that_ec2_accepts(count: int) -> None:
    there = region(count)
    outcomes = there.run()
    assert engine.report(outcomes, "routes") is None
    floor = max(0, count - 50) / REFILL
    assert there.now <= floor + 3, f"{count} routes took {there.now:.1f} s, the buckets allow {floor:.1f} s"
    assert there.calls <= 2 * count, f"{there.calls} calls, {there.refused} of them refused"
    assert all(outcome.attempts <= engine.ATTEMPTS for outcome in outcomes)


def test_the_timeout_counts_from_the_last_accepted_write() -> None:
    assert engine.report(region(150).run(timeout=4.0), "routes") is None


def test_the_rate_follows_the_answers() -> None:
    rate = WriteRate()
    rate.note(0.0, throttled=False)
    assert rate.allowance(0.0) is None, "without a throttled call everything is sent at once"
    rate.note(1.0, throttled=True)
    assert rate.allowance(2.0) == 5
    rate.note(2.0, throttled=False)
    assert rate.allowance(3.0) == 6
    rate.note(3.0, throttled=True)
    assert (rate.allowance(4.0), rate.allowance(3.1)) == (3, 0)
