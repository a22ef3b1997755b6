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
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from .base import (
    SKEW_SECONDS,
    Clock,
    DamagedDocument,
    Document,
    Key,
    Lease,
    LeaseLost,
    Snapshot,
    StoreError,
    WriteUnknown,
    agrees,
    dump,
    is_ahead,
    is_held,
    refused,
    shortened,
    skewed,
)
from .dynamodb_items import attribute_of, attributes_of, snapshot_of
from .dynamodb_table import EXPIRES, ConditionFailed, NoAnswer, TableMissing, call, create_table, date_of, pages
from .kept import Series, chunk_end, chunk_of, dump_entry, entries_of, slot_of

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
            answer = call(self._client, self.table, "get_item", **self._item(), ConsistentRead=True)
        except TableMissing:
            if self._missing_is_empty:
                return Snapshot()
            raise
        return replace(snapshot_of(answer.get("Item"), self.where), store_time=date_of(answer))

    def acquire(self, owner: str, seconds: float) -> Lease:
        """Return the lease (see :class:`.base.Store`)."""
        try:
            return self._take(owner, seconds)
        except TableMissing:
            if not self._create:
                raise
        create_table(self._client, self.table)
        return self._take(owner, seconds)

    def _take(self, owner: str, seconds: float) -> Lease:
        now = self._clock()
        try:
            return self._lease(owner, seconds, now)
        except ConditionFailed:
            stored = self.read()  # which raises if the item is damaged
        if is_ahead(stored, now):
            stored = self._corrected(stored, now, owner)
            if not is_held(stored, owner, now):
                with contextlib.suppress(ConditionFailed):
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
        with contextlib.suppress(ConditionFailed):  # another owner has corrected it, or written
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
            found = snapshot_of(before, self.where)
        except DamagedDocument:
            with contextlib.suppress(ValueError):  # a number that is none: the lease ends by itself
                fence = int(before.get("fence", {"N": "0"})["N"]) + 1
                self._put_back(Lease(owner, fence, expires), before)
            raise
        return Lease(owner, found.fence + 1, expires, found, now if agrees(date_of(answer), now) else None)

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
        except ConditionFailed:
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
        except ConditionFailed:
            return

    def undo(self, lease: Lease) -> None:
        """Restore what was stored before the lease."""
        self._put_back(lease, attributes_of(lease.before))

    def _put_back(self, lease: Lease, before: dict[str, Any]) -> None:
        """Restore what taking the lease overwrote; the document was not touched."""
        kept = {name: real for name, real in _NAMES.items() if real in before and name not in _OF_WRITES}
        gone = [name for name, real in _NAMES.items() if real not in before and name not in _OF_WRITES]
        change = "SET " + ", ".join(f"{name} = :old_{real}" for name, real in kept.items()) if kept else ""
        if gone:
            change = f"{change} REMOVE {', '.join(gone)}".strip()
        held = {
            ":fence": attribute_of(lease.fence),
            ":mine": attribute_of(lease.owner),
            ":end": attribute_of(lease.expires),
        }
        values = {**held, **{f":old_{real}": before[real] for real in kept.values()}}
        with contextlib.suppress(ConditionFailed):  # another owner has the lease by now
            self._send(change, "#fence = :fence AND #owner = :mine AND #expires = :end", values, "NONE")

    def remove(self) -> None:
        """Delete the record and what is kept. Needs dynamodb:DeleteItem and dynamodb:Query."""
        try:
            call(self._client, self.table, "delete_item", **self._item())
            for chunk in (each for series in Series for each in self._chunks("", series)):
                key = {name: chunk[name] for name in ("group", "zone")}
                call(self._client, self.table, "delete_item", TableName=self.table, Key=key)
        except TableMissing:
            if not self._missing_is_empty:
                raise

    def keep(self, at: float, entry: Document, seconds: float, series: Series = Series.SAMPLES) -> None:
        """Put the entry into the item of its hour, which expires by the table's time to live (attribute expires).

        One UpdateItem that is not repeated: the next tick brings another sample.
        """
        call(
            self._client,
            self.table,
            "update_item",
            retried=False,
            TableName=self.table,
            Key={"group": {"S": self._partition(series)}, "zone": {"S": chunk_of(at)}},
            UpdateExpression="SET #slot = if_not_exists(#slot, :entry), #until = :until",
            ExpressionAttributeNames={"#slot": f"{_SLOT}{slot_of(at, series)}", "#until": EXPIRES},
            ExpressionAttributeValues={
                ":entry": attribute_of(dump_entry(at, entry)),
                ":until": attribute_of(int(chunk_end(at) + seconds)),
            },
        )

    def kept(self, since: float, series: Series = Series.SAMPLES) -> list[Document]:
        """Return what is kept from this instant on."""
        try:
            chunks = list(self._chunks(chunk_of(max(0.0, since)), series))
        except TableMissing:
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
        return pages(
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
        attributes = {name: attribute_of(value) for name, value in values.items()}
        return self._send(change, condition, attributes, returns)

    def _send(self, change: str, condition: str, values: dict[str, dict[str, str]], returns: str) -> dict[str, Any]:
        used = {name: real for name, real in _NAMES.items() if name in f"{change} {condition} "}
        return call(
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
