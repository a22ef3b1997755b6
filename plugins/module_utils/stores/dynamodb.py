# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Records in a DynamoDB table: one item a (group, zone), conditional writes. For jobs on any number of machines.

Key schema: partition key ``group`` (S), sort key ``zone`` (S). A tick costs two conditional writes and no read:
the one that takes the lease answers with what it found.
IAM, on the table: dynamodb:GetItem, dynamodb:UpdateItem, dynamodb:Query, and to forget a group
dynamodb:DeleteItem; for ``create`` also dynamodb:CreateTable and dynamodb:DescribeTable.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with contextlib.suppress(ImportError):  # without it the module says so before it comes here
    from botocore.exceptions import BotoCoreError, ClientError

from .base import (
    NOTHING,
    SKEW_SECONDS,
    Clock,
    DamagedDocument,
    Document,
    Key,
    Lease,
    LeaseLost,
    Snapshot,
    StoreError,
    StoreUnusable,
    dump,
    refuse_skew,
    refused,
)

ACTIONS = "dynamodb:GetItem, dynamodb:UpdateItem, dynamodb:Query, dynamodb:DeleteItem (to forget a group)"
NEEDS = f"partition key group (S), sort key zone (S), on-demand billing will do; IAM on it: {ACTIONS}"

THROTTLES = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "InternalServerError",
    "TransactionConflictException",
]

#: Expression names: half of these words are reserved in DynamoDB.
_NAMES = {
    "#document": "document",
    "#version": "version",
    "#fence": "fence",
    "#owner": "lease_owner",
    "#expires": "lease_expires",
    "#at": "written_at",
    "#by": "written_by",
}


class DynamoStore:
    """``client``: a boto3 client of DynamoDB. ``missing_is_empty``: read as if a table that will be made was there.

    ``create``: make the table when the first lease finds that it is missing; looking for it each time would be a call.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        key: Key,
        *,
        clock: Clock = time.time,
        missing_is_empty: bool = False,
        create: bool = False,
    ) -> None:
        self.key, self.table = key, table
        self.where = f"table {table}, {key}"
        self._client, self._clock = client, clock
        self._missing_is_empty, self._create = missing_is_empty, create

    def read(self) -> Snapshot:
        try:
            answer = _call(self._client, self.table, "get_item", **self._item(), ConsistentRead=True)
        except _TableMissing:
            if self._missing_is_empty:
                return Snapshot()
            raise
        return _snapshot(answer.get("Item"), self.where)

    def acquire(self, owner: str, seconds: float) -> Lease:
        try:
            return self._take(owner, seconds)
        except _TableMissing:
            if not self._create:
                raise
        create_table(self._client, self.table)
        return self._take(owner, seconds)

    def _take(self, owner: str, seconds: float) -> Lease:
        now = self._clock()
        expires = round(now + seconds, 3)
        try:
            answer = self._update(
                "SET #owner = :owner, #expires = :expires, #at = :now, #by = :owner, "
                "#version = if_not_exists(#version, :zero) ADD #fence :one",
                "(attribute_not_exists(#owner) OR #owner = :owner OR #expires <= :now) "
                "AND (attribute_not_exists(#at) OR #at <= :latest) "
                "AND (attribute_not_exists(#fence) OR attribute_type(#fence, :number))",
                {
                    ":owner": owner,
                    ":expires": expires,
                    ":now": now,
                    ":latest": now + SKEW_SECONDS,
                    ":zero": 0,
                    ":one": 1,
                    ":number": "N",
                },
                returns="ALL_OLD",
            )
        except _ConditionFailed:
            stored = self.read()  # which says so if the item is damaged
            refuse_skew(stored, now, self.where, owner)
            raise refused(stored, self.where) from None
        before = {name: value for name, value in answer.get("Attributes", {}).items() if name in _NAMES.values()}
        try:
            found = _snapshot(before, self.where)
        except DamagedDocument:
            fence = int(before.get("fence", {"N": "0"})["N"]) + 1
            self._put_back(Lease(owner, fence, expires), before)
            raise
        return Lease(owner, found.fence + 1, expires, found)

    def write(self, lease: Lease, document: Document, version: int, *, release: bool = False) -> int:
        text, leave = dump(document), " REMOVE #owner, #expires" if release else ""
        try:
            self._update(
                "SET #document = :document, #version = :new, #at = :now, #by = :by" + leave,
                "#fence = :fence AND #version = :old",
                {
                    ":document": text,
                    ":new": version + 1,
                    ":old": version,
                    ":now": self._clock(),
                    ":by": lease.owner,
                    ":fence": lease.fence,
                },
            )
        except _ConditionFailed:
            stored = self.read()
            # A write whose answer got lost is sent again and then fails on the version it made itself.
            if (stored.fence, stored.version, stored.document) == (lease.fence, version + 1, json.loads(text)):
                return version + 1
            raise LeaseLost(
                f"{self.where}: the lease of {lease.owner} was taken over by {stored.written_by}; nothing was written"
            ) from None
        return version + 1

    def release(self, lease: Lease) -> None:
        try:
            self._update("REMOVE #owner, #expires", "#fence = :fence", {":fence": lease.fence})
        except _ConditionFailed:
            return

    def undo(self, lease: Lease) -> None:
        self._put_back(lease, _attributes(lease.before))

    def _put_back(self, lease: Lease, before: dict[str, Any]) -> None:
        """What taking the lease wrote, as it was before; the document was not touched."""
        kept = {name: real for name, real in _NAMES.items() if real in before and real != "document"}
        gone = [name for name, real in _NAMES.items() if real not in before and real != "document"]
        change = "SET " + ", ".join(f"{name} = :old_{real}" for name, real in kept.items()) if kept else ""
        if gone:
            change = f"{change} REMOVE {', '.join(gone)}".strip()
        held = {":fence": _attribute(lease.fence), ":mine": _attribute(lease.owner), ":end": _attribute(lease.expires)}
        values = {**held, **{f":old_{real}": before[real] for real in kept.values()}}
        with contextlib.suppress(_ConditionFailed):  # another has the lease by now: theirs to write
            self._send(change, "#fence = :fence AND #owner = :mine AND #expires = :end", values, "NONE")

    def remove(self) -> None:
        """Forget the record, whoever has its lease; one that is gone already is no error. Needs dynamodb:DeleteItem."""
        try:
            _call(self._client, self.table, "delete_item", **self._item())
        except _TableMissing:
            if not self._missing_is_empty:
                raise

    def _item(self) -> dict[str, Any]:
        return {"TableName": self.table, "Key": {"group": {"S": self.key.group}, "zone": {"S": self.key.zone}}}

    def _update(
        self, change: str, condition: str, values: dict[str, str | float | int], returns: str = "NONE"
    ) -> dict[str, Any]:
        attributes = {name: _attribute(value) for name, value in values.items()}
        return self._send(change, condition, attributes, returns)

    def _send(self, change: str, condition: str, values: dict[str, dict[str, str]], returns: str) -> dict[str, Any]:
        used = {name: real for name, real in _NAMES.items() if name in f"{change} {condition} "}
        return _call(
            self._client,
            self.table,
            "update_item",
            **self._item(),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames=used,
            ExpressionAttributeValues=values,
            ReturnValues=returns,
        )


class _ConditionFailed(StoreError):
    """The item is not as the condition wants it."""


def create_table(client: Any, table: str) -> bool:
    """Make the table if it is not there, and wait until it answers; True if it was made."""
    try:
        _call(client, table, "describe_table", TableName=table)
    except _TableMissing:
        pass
    else:
        return False
    keys = {"group": "HASH", "zone": "RANGE"}
    with contextlib.suppress(_TableThere):  # somebody made it in the same moment
        _call(
            client,
            table,
            "create_table",
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        )
    _await_table(client, table)
    return True


def _await_table(client: Any, table: str) -> None:
    try:
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    except BotoCoreError as error:
        raise StoreUnusable(f"table {table} was made but does not become ACTIVE: {error}") from error


def stored_keys(client: Any, table: str, group: str, *, missing_is_empty: bool = False) -> list[Key]:
    """The zones of this group that the table has records of."""
    try:
        return [Key(group, item["zone"]["S"]) for item in _query(client, table, group)]
    except _TableMissing:
        if missing_is_empty:
            return []
        raise


def _query(client: Any, table: str, group: str) -> Iterator[dict[str, Any]]:
    more: dict[str, Any] = {}
    while True:
        page = _call(
            client,
            table,
            "query",
            TableName=table,
            KeyConditionExpression="#group = :group",
            ProjectionExpression="#zone",
            ExpressionAttributeNames={"#group": "group", "#zone": "zone"},
            ExpressionAttributeValues={":group": {"S": group}},
            **more,
        )
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


class _TableMissing(StoreUnusable):
    """No such table."""


class _TableThere(StoreUnusable):
    """The table exists already."""


def _once(client: Any, method: str, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(client, method)(**request)
    return answer


_retried = AWSRetry.jittered_backoff(retries=8, delay=1, max_delay=10, catch_extra_error_codes=THROTTLES)(_once)


def _call(client: Any, table: str, method: str, **request: Any) -> dict[str, Any]:
    """One call, throttling retried, everything else turned into this package's errors."""
    try:
        return _retried(client, method, **request)  # type: ignore[no-any-return]
    except is_boto3_error_code("ConditionalCheckFailedException") as error:
        raise _ConditionFailed(table) from error
    except is_boto3_error_code("ResourceNotFoundException") as error:
        raise _TableMissing(
            f"there is no DynamoDB table {table} in this region and account; it needs {NEEDS}; "
            "store.create makes it, docs/autoscaling.md has it as CloudFormation"
        ) from error
    except is_boto3_error_code("ResourceInUseException") as error:
        raise _TableThere(f"table {table} is there already") from error
    except is_boto3_error_code(["AccessDeniedException", "UnrecognizedClientException"]) as error:
        action = "dynamodb:" + "".join(word.capitalize() for word in method.split("_"))
        raise StoreUnusable(
            f"table {table}: {action} is not permitted ({error}); IAM needed on it: {ACTIONS}"
        ) from error
    except is_boto3_error_code("ValidationException") as error:
        raise StoreUnusable(f"table {table} does not fit ({error}); it needs {NEEDS}") from error
    except (BotoCoreError, ClientError) as error:
        raise StoreUnusable(f"table {table}: {method}: {error}") from error


def _attribute(value: str | float | int) -> dict[str, str]:
    if isinstance(value, str):
        return {"S": value}
    return {"N": str(value) if isinstance(value, int) else f"{value:.3f}"}


def _attributes(found: Snapshot) -> dict[str, dict[str, str]]:
    """A snapshot as attributes of an item, the document left out."""
    if found == NOTHING:
        return {}
    values: dict[str, str | float | int] = {
        "version": found.version,
        "fence": found.fence,
        "written_at": found.written_at,
        "written_by": found.written_by,
    }
    if found.lease:
        values |= {"lease_owner": found.lease.owner, "lease_expires": found.lease.expires}
    return {name: _attribute(value) for name, value in values.items()}


def _snapshot(item: dict[str, Any] | None, where: str) -> Snapshot:
    if not item or item.keys() <= {"group", "zone"}:
        return NOTHING
    try:
        fence = int(item["fence"]["N"])
        owner = item.get("lease_owner")
        lease = owner and Lease(owner["S"], fence, float(item["lease_expires"]["N"]))
        document = json.loads(item["document"]["S"]) if "document" in item else None
        if not isinstance(document, dict | None):
            raise TypeError("its document is not a JSON object")
        return Snapshot(
            document=document,
            version=int(item["version"]["N"]),
            fence=fence,
            lease=lease or None,
            written_at=float(item["written_at"]["N"]),
            written_by=item["written_by"]["S"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedDocument(
            f"the item of {where} is damaged ({type(error).__name__}: {error}) and was left as it is; mend it or "
            "delete it, a new record begins where there is none"
        ) from error
