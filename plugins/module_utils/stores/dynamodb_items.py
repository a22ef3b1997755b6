# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Items of a DynamoDB table: what is known of a zone, as attributes and back."""

from __future__ import annotations

import json
from typing import Any

from .base import (
    NOTHING,
    DamagedDocument,
    Lease,
    Snapshot,
)


def attribute_of(value: str | float | int) -> dict[str, str]:
    """Return a text or a number as an attribute."""
    if isinstance(value, str):
        return {"S": value}
    return {"N": str(value) if isinstance(value, int) else f"{value:.3f}"}


def attributes_of(found: Snapshot) -> dict[str, dict[str, str]]:
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
    return {name: attribute_of(value) for name, value in values.items()}


def snapshot_of(item: dict[str, Any] | None, where: str) -> Snapshot:
    """Return what an item holds. Raises DamagedDocument; ``where``: the item, for its message."""
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
