"""DynamoDB tables have an id, which Ansible's modules read.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
"""

from __future__ import annotations

import uuid
from typing import Any

from moto.dynamodb.models.table import Table

from tests.lab.aws.mends.patch import replaces

_describe = Table.describe


@replaces(Table, "describe")
def describe(table: Any, base_key: str = "TableDescription") -> dict[str, Any]:
    described: dict[str, Any] = _describe(table, base_key)
    described[base_key]["TableId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{table.table_arn}@{table.created_at}"))
    return described
