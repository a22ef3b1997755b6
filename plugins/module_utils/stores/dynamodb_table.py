# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Calls to a DynamoDB table, with errors as messages; the table itself, and the zones that it holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with contextlib.suppress(ImportError):  # the module reports a missing boto3 before it uses this
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

from .base import (
    Key,
    StoreError,
    StoreUnusable,
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

#: Attribute by which a table's time to live removes what is kept: seconds since the epoch.
EXPIRES = "expires"


class ConditionFailed(StoreError):
    """The condition of the write does not hold."""


class TableMissing(StoreUnusable):
    """No such table."""


class TableThere(StoreUnusable):
    """The table exists already."""


class NoAnswer(StoreUnusable):
    """DynamoDB gave no answer, or one that does not say whether it has written."""


def _once(client: Any, method: str, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(client, method)(**request)
    return answer


_retried = AWSRetry.jittered_backoff(retries=8, delay=1, max_delay=10, catch_extra_error_codes=THROTTLES)(_once)


def call(client: Any, table: str, method: str, *, retried: bool = True, **request: Any) -> dict[str, Any]:
    """Make one call. Throttling is retried unless disabled; every other error becomes one of this package."""
    send: Any = _retried if retried else _once
    try:
        return send(client, method, **request)  # type: ignore[no-any-return]
    except is_boto3_error_code("ConditionalCheckFailedException") as error:
        raise ConditionFailed(table) from error
    except is_boto3_error_code("ResourceNotFoundException") as error:
        raise TableMissing(
            f"there is no DynamoDB table {table} in this region and account; it needs {NEEDS}; "
            "store.create makes it, docs/autoscaling.md has it as CloudFormation"
        ) from error
    except is_boto3_error_code("ResourceInUseException") as error:
        raise TableThere(f"table {table} is there already") from error
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


def create_table(client: Any, table: str) -> bool:
    """Create the table if it does not exist, and wait until it is active; return whether it was created."""
    try:
        call(client, table, "describe_table", TableName=table)
    except TableMissing:
        pass
    else:
        return False
    keys = {"group": "HASH", "zone": "RANGE"}
    with contextlib.suppress(TableThere):  # another run created it in the same moment
        call(
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
        call(
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
    except TableMissing:
        if missing_is_empty:
            return []
        raise


def _query(client: Any, table: str, group: str) -> Iterator[dict[str, Any]]:
    return pages(
        client,
        table,
        KeyConditionExpression="#group = :group",
        ProjectionExpression="#zone",
        ExpressionAttributeNames={"#group": "group", "#zone": "zone"},
        ExpressionAttributeValues={":group": {"S": group}},
    )


def pages(client: Any, table: str, **request: Any) -> Iterator[dict[str, Any]]:
    """Return the items of a query, all pages."""
    more: dict[str, Any] = {}
    while True:
        page = call(client, table, "query", TableName=table, **request, **more)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def date_of(answer: dict[str, Any]) -> float | None:
    """Return DynamoDB's own time out of an answer (its Date header), in seconds since the epoch; None without one."""
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
