# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers with success that are not AWS's, such as the page of a proxy: refused for every call of a client.

Many writes have nothing in their answer that a caller reads (DeregisterTargets, ReleaseAddress, CreateTags), and
botocore parses any text as an empty answer. Without this check such a page would count as a write that was carried out.

Sources: Smithy 2.0, AWS protocols: awsQuery and ec2Query answer with a root element named <operation>Response,
awsJson with a JSON object or an empty body, rpcv2Cbor with the header smithy-protocol; S3 API reference, Common
Response Headers (x-amz-request-id); Route 53 API reference, HTTP responses (x-amzn-RequestId).
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

#: A header that an answer without a body, or with a body of the caller's, is recognised by.
_OWN_HEADERS = ("x-amz-request-id", "x-amzn-requestid", "smithy-protocol")
#: Characters of an unexpected answer in the message.
_SHOWN = 60


class UnexpectedAnswer(ValueError):
    """An answer with success that does not have the form of AWS's protocol; whether a write landed is unknown."""


def is_from_aws(protocol: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer with success has the form of a protocol. ``headers`` ignores case."""
    identified = any(name in headers for name in _OWN_HEADERS)
    if protocol in ("ec2", "query"):
        return _root(body).endswith("Response")
    if protocol == "json":
        return _is_object(body) if body else identified
    return identified or _root(body).endswith("Response")


def _root(body: bytes) -> str:
    """Return the name of the root element without its namespace; empty if the body is no XML."""
    try:
        events = ElementTree.iterparse(io.BytesIO(body), events=("start",))  # noqa: S314 - botocore has parsed it, too
        _event, element = next(iter(events))
    except (ElementTree.ParseError, StopIteration):
        return ""
    return str(element.tag).rpartition("}")[2]


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def refuse_unexpected(client: Any) -> None:
    """Make every call of a client raise UnexpectedAnswer for an answer with success that AWS did not give.

    botocore emits the event after each answer that it could parse.
    """
    meta = getattr(client, "meta", None)
    model, events = getattr(meta, "service_model", None), getattr(meta, "events", None)
    if model is None or events is None:
        return  # a stub
    protocol = getattr(model, "resolved_protocol", None) or model.protocol

    def check(response_dict: Mapping[str, Any] | None, event_name: str, **_more: object) -> None:
        if response_dict is None or response_dict["status_code"] >= 300:
            return
        body = response_dict["body"]
        body = body if isinstance(body, bytes) else b""  # what is streamed has not been read
        if not is_from_aws(protocol, response_dict["headers"], body):
            operation = event_name.rpartition(".")[2]
            raise UnexpectedAnswer(f"to {operation}: {body[:_SHOWN].decode('ascii', 'replace') or 'an empty body'}")

    events.register("response-received", check)
