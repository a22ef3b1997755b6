# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Group state in a DynamoDB table: one item a (group, zone), conditional writes. For jobs on any number of machines.

Key schema: partition key ``group`` (S), sort key ``zone`` (S). A tick costs two conditional writes and no read:
the one that takes the lease answers with what it found. Keeping its sample is a third one.
IAM, on the table: dynamodb:GetItem, dynamodb:UpdateItem, dynamodb:Query, and to delete the state of a group
dynamodb:DeleteItem; for ``create`` also dynamodb:CreateTable, dynamodb:DescribeTable and dynamodb:UpdateTimeToLive.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with contextlib.suppress(ImportError):  # the module reports a missing boto3 before it uses this
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

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
    WriteUnknown,
    agrees,
    dump,
    is_ahead,
    is_held,
    refused,
    shortened,
    skewed,
)
from .kept import Series, chunk_end, chunk_of, dump_entry, entries_of, slot_of

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
    "#writes": "writes",
}

#: The attributes that taking a lease leaves alone.
_OF_WRITES = frozenset({"#document", "#writes"})

#: Attribute by which a table's time to live removes what is kept: seconds since the epoch.
EXPIRES = "expires"
#: Attributes of an hour's item that hold an entry: this and the number of the slot.
_SLOT = "s"

#: How many accepted writes an item names.
WRITES = 16


class DynamoStore:
    """Group state in one item.

    Args:
        client: A boto3 client of DynamoDB.
        table: Name of the table.
        key: Group and zone.
        clock: This machine's clock.
        missing_is_empty: Read a missing table as an empty one.
        create: Create the table when the first lease finds it missing; looking for it each time would be a call.
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
        """Return what is stored, and DynamoDB's own time."""
        try:
            answer = _call(self._client, self.table, "get_item", **self._item(), ConsistentRead=True)
        except _TableMissing:
            if self._missing_is_empty:
                return Snapshot()
            raise
        return replace(_snapshot(answer.get("Item"), self.where), store_time=_date(answer))

    def acquire(self, owner: str, seconds: float) -> Lease:
        """Return the lease (see :class:`.base.Store`)."""
        try:
            return self._take(owner, seconds)
        except _TableMissing:
            if not self._create:
                raise
        create_table(self._client, self.table)
        return self._take(owner, seconds)

    def _take(self, owner: str, seconds: float) -> Lease:
        now = self._clock()
        try:
            return self._lease(owner, seconds, now)
        except _ConditionFailed:
            stored = self.read()  # which raises if the item is damaged
        if is_ahead(stored, now):
            stored = self._corrected(stored, now, owner)
            if not is_held(stored, owner, now):
                with contextlib.suppress(_ConditionFailed):
                    return self._lease(owner, seconds, now)
        raise refused(stored, self.where)

    def _corrected(self, stored: Snapshot, now: float, owner: str) -> Snapshot:
        """Accept the state of a writer whose clock was ahead, if DynamoDB's own time agrees with this clock."""
        if not agrees(stored.store_time, now):
            raise skewed(stored, now, self.where, owner)
        fixed = shortened(stored, now)
        change = "SET #at = :now"
        values: dict[str, str | float | int] = {":now": now, ":fence": stored.fence, ":at": stored.written_at}
        if fixed.lease:
            change, values[":end"] = f"{change}, #expires = :end", fixed.lease.expires
        with contextlib.suppress(_ConditionFailed):  # another owner has corrected it, or written
            self._update(change, "#fence = :fence AND #at = :at", values)
        return fixed

    def _lease(self, owner: str, seconds: float, now: float) -> Lease:
        """Take the lease unless it is in force or the last writer's clock was ahead."""
        expires = round(now + seconds, 3)
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
        before = {name: value for name, value in answer.get("Attributes", {}).items() if name in _NAMES.values()}
        try:
            found = _snapshot(before, self.where)
        except DamagedDocument:
            with contextlib.suppress(ValueError):  # a number that is none: the lease ends by itself
                fence = int(before.get("fence", {"N": "0"})["N"]) + 1
                self._put_back(Lease(owner, fence, expires), before)
            raise
        return Lease(owner, found.fence + 1, expires, found, now if agrees(_date(answer), now) else None)

    def write(self, lease: Lease, document: Document, version: int, *, release: bool = False) -> int:
        """Store the document (see :class:`.base.Store`)."""
        leave, mine = " REMOVE #owner, #expires" if release else "", f"{version + 1}:{secrets.token_hex(4)}"
        writes = " ".join((*lease.found.writes, mine)[-WRITES:])
        try:
            self._update(
                "SET #document = :document, #version = :new, #at = :now, #by = :by, #writes = :writes" + leave,
                "#fence = :fence AND #version = :old",
                {
                    ":document": dump(document),
                    ":new": version + 1,
                    ":old": version,
                    ":now": self._clock(),
                    ":by": lease.owner,
                    ":fence": lease.fence,
                    ":writes": writes,
                },
            )
        except _ConditionFailed:
            # A write whose answer got lost is sent again and then fails on the version that it made itself.
            self._refuse_unless_accepted(lease, version, mine)
        except NoAnswer as error:
            self._refuse_unless_stored(lease, version, mine, error)
        return version + 1

    def _refuse_unless_accepted(self, lease: Lease, version: int, mine: str) -> None:
        """Raise unless the refused write had been accepted when it was sent before."""
        stored = self.read()
        if mine in stored.writes:
            return
        numbers = [int(each.partition(":")[0]) for each in stored.writes]
        taken = f"{self.where}: the lease of {lease.owner} was taken over by {stored.written_by or 'another owner'}"
        if stored.version <= version or version + 1 in numbers:
            raise LeaseLost(f"{taken}; nothing was written")
        raise WriteUnknown(
            f"{taken}, and {stored.version - version} writes later it does not show any more whether this one was "
            "accepted: read the state (autoscale_info) before anything is done about it"
        )

    def _refuse_unless_stored(self, lease: Lease, version: int, mine: str, error: NoAnswer) -> None:
        """Raise unless the write without an answer is stored."""
        try:
            if mine in self.read().writes:
                return
        except StoreError:
            pass
        raise WriteUnknown(
            f"{error}; whether the write of {lease.owner} (version {version + 1}) is accepted is not known: "
            "run it again, the same owner resumes what it has begun"
        ) from error

    def release(self, lease: Lease) -> None:
        """Release the lease."""
        try:
            self._update("REMOVE #owner, #expires", "#fence = :fence", {":fence": lease.fence})
        except _ConditionFailed:
            return

    def undo(self, lease: Lease) -> None:
        """Restore what was stored before the lease."""
        self._put_back(lease, _attributes(lease.before))

    def _put_back(self, lease: Lease, before: dict[str, Any]) -> None:
        """Restore what taking the lease overwrote; the document was not touched."""
        kept = {name: real for name, real in _NAMES.items() if real in before and name not in _OF_WRITES}
        gone = [name for name, real in _NAMES.items() if real not in before and name not in _OF_WRITES]
        change = "SET " + ", ".join(f"{name} = :old_{real}" for name, real in kept.items()) if kept else ""
        if gone:
            change = f"{change} REMOVE {', '.join(gone)}".strip()
        held = {":fence": _attribute(lease.fence), ":mine": _attribute(lease.owner), ":end": _attribute(lease.expires)}
        values = {**held, **{f":old_{real}": before[real] for real in kept.values()}}
        with contextlib.suppress(_ConditionFailed):  # another owner has the lease by now
            self._send(change, "#fence = :fence AND #owner = :mine AND #expires = :end", values, "NONE")

    def remove(self) -> None:
        """Delete the record and what is kept. Needs dynamodb:DeleteItem and dynamodb:Query."""
        try:
            _call(self._client, self.table, "delete_item", **self._item())
            for chunk in (each for series in Series for each in self._chunks("", series)):
                key = {name: chunk[name] for name in ("group", "zone")}
                _call(self._client, self.table, "delete_item", TableName=self.table, Key=key)
        except _TableMissing:
            if not self._missing_is_empty:
                raise

    def keep(self, at: float, entry: Document, seconds: float, series: Series = Series.SAMPLES) -> None:
        """Put the entry into the item of its hour, which expires by the table's time to live (attribute expires).

        One UpdateItem that is not repeated: the next tick brings another sample.
        """
        _call(
            self._client,
            self.table,
            "update_item",
            retried=False,
            TableName=self.table,
            Key={"group": {"S": self._partition(series)}, "zone": {"S": chunk_of(at)}},
            UpdateExpression="SET #slot = if_not_exists(#slot, :entry), #until = :until",
            ExpressionAttributeNames={"#slot": f"{_SLOT}{slot_of(at, series)}", "#until": EXPIRES},
            ExpressionAttributeValues={
                ":entry": _attribute(dump_entry(at, entry)),
                ":until": _attribute(int(chunk_end(at) + seconds)),
            },
        )

    def kept(self, since: float, series: Series = Series.SAMPLES) -> list[Document]:
        """Return what is kept from this instant on."""
        try:
            chunks = list(self._chunks(chunk_of(max(0.0, since)), series))
        except _TableMissing:
            if self._missing_is_empty:
                return []
            raise
        texts = [
            value["S"]
            for chunk in chunks
            for name, value in chunk.items()
            if name.startswith(_SLOT) and name.removeprefix(_SLOT).isdecimal() and "S" in value
        ]
        return entries_of(texts, since)

    def _partition(self, series: Series) -> str:
        """Return the partition of what is kept: no group of the modules, whose zones a query would list otherwise."""
        return f"{quote(self.key.group, safe='')}@{quote(self.key.zone, safe='')} {series.value}"

    def _chunks(self, first: str, series: Series) -> Iterator[dict[str, Any]]:
        """Return the items of the hours from ``first`` on."""
        condition, values = "#group = :group", {":group": {"S": self._partition(series)}}
        if first:
            condition, values = f"{condition} AND #zone >= :first", {**values, ":first": {"S": first}}
        names = {"#group": "group", **({"#zone": "zone"} if first else {})}
        return _pages(
            self._client,
            self.table,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

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
    """The condition of the write does not hold."""


def create_table(client: Any, table: str) -> bool:
    """Create the table if it does not exist, and wait until it is active; return whether it was created."""
    try:
        _call(client, table, "describe_table", TableName=table)
    except _TableMissing:
        pass
    else:
        return False
    keys = {"group": "HASH", "zone": "RANGE"}
    with contextlib.suppress(_TableThere):  # another run created it in the same moment
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
    with contextlib.suppress(StoreError):  # without it what is kept stays; group state is not affected
        _call(
            client,
            table,
            "update_time_to_live",
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES},
        )
    return True


def _await_table(client: Any, table: str) -> None:
    try:
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    except BotoCoreError as error:
        raise StoreUnusable(f"table {table} was created but does not become ACTIVE: {error}") from error


def stored_keys(client: Any, table: str, group: str, *, missing_is_empty: bool = False) -> list[Key]:
    """Return the zones of this group of which the table holds state."""
    try:
        return [Key(group, item["zone"]["S"]) for item in _query(client, table, group)]
    except _TableMissing:
        if missing_is_empty:
            return []
        raise


def _query(client: Any, table: str, group: str) -> Iterator[dict[str, Any]]:
    return _pages(
        client,
        table,
        KeyConditionExpression="#group = :group",
        ProjectionExpression="#zone",
        ExpressionAttributeNames={"#group": "group", "#zone": "zone"},
        ExpressionAttributeValues={":group": {"S": group}},
    )


def _pages(client: Any, table: str, **request: Any) -> Iterator[dict[str, Any]]:
    """Return the items of a query, all pages."""
    more: dict[str, Any] = {}
    while True:
        page = _call(client, table, "query", TableName=table, **request, **more)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


class _TableMissing(StoreUnusable):
    """No such table."""


class _TableThere(StoreUnusable):
    """The table exists already."""


class NoAnswer(StoreUnusable):
    """DynamoDB gave no answer, or one that does not say whether it has written."""


def _once(client: Any, method: str, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(client, method)(**request)
    return answer


_retried = AWSRetry.jittered_backoff(retries=8, delay=1, max_delay=10, catch_extra_error_codes=THROTTLES)(_once)


def _call(client: Any, table: str, method: str, *, retried: bool = True, **request: Any) -> dict[str, Any]:
    """Make one call. Throttling is retried unless disabled; every other error becomes one of this package."""
    send: Any = _retried if retried else _once
    try:
        return send(client, method, **request)  # type: ignore[no-any-return]
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
    except is_boto3_error_code(["InternalServerError", "InternalFailure", "ServiceUnavailable"]) as error:
        raise NoAnswer(f"table {table}: {method}: {error}") from error
    except ClientError as error:
        raise StoreUnusable(f"table {table}: {method}: {error}") from error
    except BotoCoreError as error:
        raise NoAnswer(f"table {table}: {method}: {error}") from error
    except (ResponseParserError, LookupError, TypeError, ValueError, AttributeError) as error:
        what = " ".join(str(error).split())[:120]
        raise NoAnswer(
            f"table {table}: {method}: the answer made no sense ({type(error).__name__}: {what}); does a proxy or a "
            "sign-in page answer for DynamoDB?"
        ) from None


def _date(answer: dict[str, Any]) -> float | None:
    """Return DynamoDB's own time out of an answer (its Date header), in seconds since the epoch; None without one."""
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _attribute(value: str | float | int) -> dict[str, str]:
    if isinstance(value, str):
        return {"S": value}
    return {"N": str(value) if isinstance(value, int) else f"{value:.3f}"}


def _attributes(found: Snapshot) -> dict[str, dict[str, str]]:
    """Return a snapshot as attributes of an item, without the document."""
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
            writes=tuple(item["writes"]["S"].split()) if "writes" in item else (),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedDocument(
            f"the item of {where} is damaged ({type(error).__name__}: {error}) and was left as it is; repair it or "
            "delete it: without it, the zone begins with new state"
        ) from error
