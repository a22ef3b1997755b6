"""What only DynamoDB has: tables, key schemas, throttling, answers that get lost."""

from __future__ import annotations

import uuid
from typing import Any

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils import cloud
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from ansible_collections.cloudadc.aws.plugins.module_utils.stores import dynamodb, dynamodb_table
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import (
    DamagedDocument,
    Key,
    LeaseLost,
    StoreUnusable,
    WriteUnknown,
)
from tests.contract.stores import CREDENTIALS

KEY = Key("shop", "a")


class Disturbed:
    """A client that fails some calls: before they reach the table, or after (their answer gets lost)."""

    def __init__(
        self, client: Any, *, before: list[Exception] | None = None, lost: int = 0, unanswered: int = 0
    ) -> None:
        self._client, self.before, self.lost, self.calls = client, before or [], lost, 0
        self.unanswered = unanswered

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)

        def call(**request: Any) -> Any:
            self.calls += 1
            if self.before:
                raise self.before.pop(0)
            answer = real(**request)
            if self.unanswered and name == "update_item":
                self.unanswered -= 1
                raise ReadTimeoutError(endpoint_url="https://dynamodb")
            if self.lost and name == "update_item":
                self.lost -= 1
                raise ClientError({"Error": {"Code": "InternalServerError", "Message": "lost"}}, "UpdateItem")
            return answer

        return call


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """AWSRetry's pauses, taken down and not waited for."""
    taken: list[float] = []
    monkeypatch.setattr(cloud.time, "sleep", taken.append)
    return taken


def throttle(code: str = "ProvisionedThroughputExceededException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "slow down"}}, "GetItem")


def test_a_missing_table_gets_a_sentence_with_what_is_needed(client: Any) -> None:
    store = dynamodb.DynamoStore(client, "nowhere", KEY)
    for attempt in (store.read, lambda: store.acquire("one", 60)):
        with pytest.raises(StoreUnusable) as refusal:
            attempt()
        for message in (
            "no DynamoDB table nowhere",
            "partition key group (S)",
            "sort key zone (S)",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        ):
            assert message in str(refusal.value)


def test_making_the_table_twice_does_no_harm(client: Any, table: str) -> None:
    assert dynamodb_table.create_table(client, table) is False
    described = client.describe_table(TableName=table)["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert {each["AttributeName"]: each["KeyType"] for each in described["KeySchema"]} == {
        "group": "HASH",
        "zone": "RANGE",
    }


def test_another_key_schema_gets_a_sentence(client: Any) -> None:
    name = f"other-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    with pytest.raises(StoreUnusable, match=f"table {name} does not fit .* it needs partition key group"):
        dynamodb.DynamoStore(client, name, KEY).acquire("one", 60)


def test_throttling_is_waited_out(client: Any, table: str, naps: list[float]) -> None:
    rough = Disturbed(client, before=[throttle(), throttle("ThrottlingException"), throttle("RequestLimitExceeded")])
    store = dynamodb.DynamoStore(rough, table, KEY)
    assert store.write(store.acquire("one", 60), {"n": 1}, 0) == 1
    assert len(naps) == 3


def test_throttling_without_end_gets_a_sentence(client: Any, table: str, naps: list[float]) -> None:
    rough = Disturbed(client, before=[throttle() for _turn in range(99)])
    with pytest.raises(StoreUnusable, match=r"get_item: .*slow down"):
        dynamodb.DynamoStore(rough, table, KEY).read()
    assert rough.calls == 8


def test_an_answer_that_got_lost_is_not_taken_for_another_writer(client: Any, table: str, naps: list[float]) -> None:
    calm = dynamodb.DynamoStore(client, table, KEY)
    lease = calm.acquire("one", 60)
    rough = dynamodb.DynamoStore(Disturbed(client, lost=1), table, KEY)
    assert rough.write(lease, {"n": 1}, 0) == 1
    assert calm.read().document == {"n": 1}
    with pytest.raises(LeaseLost):
        rough.write(lease, {"n": 2}, 0)
    again = dynamodb.DynamoStore(Disturbed(client, lost=1), table, KEY).acquire("one", 60)
    assert again == calm.read().lease


def test_a_lost_answer_is_recognised_after_others_have_written(
    client: Any, table: str, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is stopped after its write got through; two others take the lease and write before it looks again."""
    calm = dynamodb.DynamoStore(client, table, KEY)
    lease = calm.acquire("one", 60)

    def others_write(_pause: float) -> None:
        for number in (2, 3):
            taken = calm.acquire("one" if number == 2 else "other", 60)
            calm.write(taken, {"n": number}, taken.found.version, release=True)

    monkeypatch.setattr(cloud.time, "sleep", others_write)
    assert dynamodb.DynamoStore(Disturbed(client, lost=1), table, KEY).write(lease, {"n": 1}, 0, release=True) == 1
    assert calm.read().document == {"n": 3}


def test_nothing_was_written_is_said_only_where_it_is_true(client: Any, table: str, naps: list[float]) -> None:
    calm = dynamodb.DynamoStore(client, table, KEY)
    late = calm.acquire("late", 60)
    again = calm.acquire("late", 60)
    with pytest.raises(LeaseLost, match="nothing was written"):
        calm.write(late, {"n": 0}, 0)
    calm.write(again, {"n": 1}, 0)
    with pytest.raises(LeaseLost, match="nothing was written"):
        calm.write(late, {"n": 0}, 0)
    for version in range(1, dynamodb.WRITES + 1):
        lease = calm.acquire("late", 60)
        calm.write(lease, {"n": version}, version)
    with pytest.raises(WriteUnknown, match="does not show any more whether this one was accepted"):
        calm.write(late, {"n": 0}, 0)


@pytest.mark.parametrize("stored", [True, False])
def test_a_write_that_is_never_answered(client: Any, table: str, naps: list[float], stored: bool) -> None:
    """It is looked for; where it is not found, and might still arrive, that is said."""
    calm = dynamodb.DynamoStore(client, table, KEY)
    lease = calm.acquire("one", 60)
    silence: list[Exception] = [EndpointConnectionError(endpoint_url="https://dynamodb")]
    rough = Disturbed(client, **({"unanswered": 1} if stored else {"before": silence}))
    store = dynamodb.DynamoStore(rough, table, KEY)
    if stored:
        assert store.write(lease, {"n": 1}, 0) == 1
    else:
        with pytest.raises(WriteUnknown, match=r"whether the write of one \(version 1\) is accepted is not known"):
            store.write(lease, {"n": 1}, 0)


def test_a_tick_is_two_calls(client: Any, table: str) -> None:
    counted = Disturbed(client)
    store = dynamodb.DynamoStore(counted, table, KEY)
    for version in (0, 1):
        lease = store.acquire("one", 60)
        assert lease.found.version == version
        store.write(lease, {"n": version}, lease.found.version, release=True)
    assert counted.calls == 4
    store.undo(store.acquire("one", 60))
    assert counted.calls == 6


def test_an_answer_that_got_lost_is_undone_too(client: Any, table: str, naps: list[float]) -> None:
    calm = dynamodb.DynamoStore(client, table, KEY)
    calm.write(calm.acquire("one", 60), {"n": 1}, 0, release=True)
    rough = dynamodb.DynamoStore(Disturbed(client, lost=1), table, KEY)
    rough.undo(rough.acquire("one", 60))
    assert (calm.read().lease, calm.read().document) == (None, {"n": 1})


def test_a_table_is_made_when_the_first_lease_misses_it(client: Any) -> None:
    name, counted = f"made-{uuid.uuid4().hex[:8]}", Disturbed(client)
    with pytest.raises(StoreUnusable, match="there is no DynamoDB table"):
        dynamodb.DynamoStore(client, name, KEY).acquire("one", 60)
    dynamodb.DynamoStore(client, name, KEY, create=True).acquire("one", 60)
    dynamodb.DynamoStore(counted, name, KEY, create=True).acquire("one", 60)
    assert counted.calls == 1, "it exists: no call checks it"


def test_an_item_whose_fence_is_no_number_is_damaged(client: Any, table: str) -> None:
    item = {"group": {"S": "shop"}, "zone": {"S": "a"}, "fence": {"S": "one"}}
    client.put_item(TableName=table, Item=item)
    with pytest.raises(DamagedDocument, match="was left as it is"):
        dynamodb.DynamoStore(client, table, KEY).acquire("one", 60)
    assert client.get_item(TableName=table, Key={"group": item["group"], "zone": item["zone"]})["Item"] == item


def test_what_is_not_permitted_names_the_actions(client: Any, table: str) -> None:
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "GetItem")
    with pytest.raises(StoreUnusable, match=r"dynamodb:GetItem is not permitted .* IAM needed on it: dynamodb:GetItem"):
        dynamodb.DynamoStore(Disturbed(client, before=[refused]), table, KEY).read()


def test_an_endpoint_that_is_not_there_gets_a_sentence() -> None:
    quick = Config(retries={"max_attempts": 0}, connect_timeout=1)
    gone = boto3.client(
        "dynamodb", endpoint_url="http://127.0.0.1:9", region_name="eu-central-1", config=quick, **CREDENTIALS
    )
    with pytest.raises(StoreUnusable, match="Could not connect") as refusal:
        dynamodb.DynamoStore(gone, "t", KEY).read()
    assert isinstance(refusal.value.__cause__, EndpointConnectionError)


def test_the_zones_of_a_group_over_many_pages(client: Any, table: str) -> None:
    for number in range(5):
        store = dynamodb.DynamoStore(client, table, Key("shop", f"z{number}"))
        store.write(store.acquire("one", 60), {"text": "x" * 300_000}, 0, release=True)
    assert dynamodb_table.stored_keys(client, table, "shop") == [Key("shop", f"z{number}") for number in range(5)]
    assert dynamodb_table.stored_keys(client, table, "other") == []
