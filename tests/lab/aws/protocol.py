"""What an AWS request is, and how its service says no, in each of AWS's wire protocols.

https://smithy.io/2.0/aws/protocols/index.html – EC2 and query: an Action in the form; JSON: the X-Amz-Target header;
REST (Route 53, S3): method and path; RPC v2 CBOR: the last part of the path.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.core.request import Request
from moto.core.routing import NotFound, get_service_router

from tests.lab.aws.iam.buckets import read_fields
from tests.lab.world import Environ, FaultKind

Protocol = Literal["ec2", "query", "json", "rest-xml", "s3"]

READING = (
    "Describe",
    "Get",
    "List",
    "Search",
    "Lookup",
    "Head",
    "Query",
    "Scan",
    "BatchGet",
    "TransactGet",
    "Simulate",
    "TestDNSAnswer",
    "Decode",
    "Check",
)
"""How the names of actions begin that change nothing."""


@dataclass(frozen=True, slots=True)
class AwsRequest:
    """``service`` is the signing name ("ec2", "elasticloadbalancing", "route53" …), ``action`` the API's name.

    ``fields``: what is asked for, by the names of the EC2 and query protocols, and of JSON what is a string.
    """

    service: str
    action: str
    protocol: Protocol
    dry_run: bool
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return not self.dry_run and not self.action.startswith(READING)


def body_of(environ: Environ) -> bytes:
    """The body, read once: ``wsgi.input`` begins anew afterwards, however often this is called."""
    stream = environ["wsgi.input"]
    if isinstance(stream, io.BytesIO):
        return stream.getvalue()
    length = environ.get("CONTENT_LENGTH") or ""
    if length:
        body: bytes = stream.read(int(length))
    else:
        body = stream.read() if environ.get("wsgi.input_terminated") else b""
        environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def read_request(environ: Environ) -> AwsRequest:
    """What this request asks; the body stays readable. An unknown REST request is named by method and path."""
    body = body_of(environ)
    service = signing_service(environ)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return AwsRequest(service, target.rpartition(".")[2], "json", dry_run=False, fields=_strings(body))
    form = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form |= parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    if "Action" in form:
        dry_run = form.get("DryRun", [""])[0].lower() == "true"
        return AwsRequest(service, form["Action"][0], "ec2" if service == "ec2" else "query", dry_run, _first(form))
    path = environ.get("PATH_INFO", "/")
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return AwsRequest(service, path.rpartition("/")[2], "json", dry_run=False)
    protocol: Protocol = "s3" if service == "s3" else "rest-xml"
    action = _rest_action(service, environ)
    fields = _of_route53(path, body) if service == "route53" else {}
    if service == "s3":
        fields = read_fields(path, environ, body, action)
    return AwsRequest(service, action, protocol, dry_run=False, fields=fields)


_ABOUT = re.compile(r"/2013-04-01/(hostedzone|change|healthcheck)/([^/]+)")
_ID_OF = {"hostedzone": "HostedZoneId", "change": "ChangeId", "healthcheck": "HealthCheckId"}
_CHANGE = re.compile(rb"<Change>(.*?)</Change>", re.DOTALL)
_PART = {
    "Action": re.compile(rb"<Action>([^<]*)</Action>"),
    "Name": re.compile(rb"<ResourceRecordSet>.*?<Name>([^<]*)</Name>", re.DOTALL),
    "Type": re.compile(rb"<ResourceRecordSet>.*?<Type>([^<]*)</Type>", re.DOTALL),
}


def _of_route53(path: str, body: bytes) -> dict[str, str]:
    """Return what a request is about, and of a batch of changes the action, name and type of each."""
    about = _ABOUT.match(path)
    fields = {_ID_OF[about[1]]: about[2]} if about else {}
    for number, change in enumerate(_CHANGE.findall(body), 1):
        found = {part: pattern.search(change) for part, pattern in _PART.items()}
        fields |= {f"Change.{number}.{part}": match[1].decode() for part, match in found.items() if match}
    return fields


def _first(form: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in form.items()}


def _strings(body: bytes) -> dict[str, str]:
    """The texts of a JSON request: those of its first level, and of lists on it (Names.1, Entries.1.EventBusName)."""
    try:
        text = json.loads(body or b"{}")
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for name, value in text.items() if isinstance(text, dict) else ():
        for number, each in enumerate(value if isinstance(value, list) else (), 1):
            parts = each.items() if isinstance(each, dict) else [("", each)]
            found |= {f"{name}.{number}.{key}".rstrip("."): part for key, part in parts if isinstance(part, str)}
        if isinstance(value, str):
            found[name] = value
    return found


def signing_service(environ: Environ) -> str:
    """The service in the credential scope of the signature; S3 for an unsigned request, as AWS's default host is."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    return scope[3].lower() if len(scope) == 5 else "s3"


def _rest_action(service: str, environ: Environ) -> str:
    request = Request(dict(environ, **{"wsgi.input": io.BytesIO(body_of(environ))}))
    try:
        operation, _ignored = get_service_router(service).match(request)
    except (NotFound, NotImplementedError, ValueError):
        return f"{request.method} {request.path}"
    return str(operation.name)


Answer = tuple[str, list[tuple[str, str]], bytes]
"""(status line, headers, body)"""


def refuse_request(kind: FaultKind, request: AwsRequest, why: str = "") -> Answer:
    """The answer with which the service itself throttles, or fails inside.

    EC2: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (RequestLimitExceeded 503,
    InternalError 500); query services: Throttling 400, InternalFailure 500; S3: SlowDown 503; JSON services:
    ThrottlingException 400, InternalServerError 500. ``why`` replaces the service's usual words.
    """
    throttled = kind == "throttle"
    status, code, usual = _words(request.protocol, throttled)
    return _answer(request, status, code, why or usual, "Sender" if throttled else "Receiver")


def forbid_request(request: AwsRequest, why: str = "") -> Answer:
    """The answer to a caller who has no right to do this, whether it was a dry run or not; ``why``: IAM's sentence.

    EC2 says UnauthorizedOperation (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html), the
    JSON services AccessDeniedException, the others AccessDenied; all with 403 but JSON's 400.
    """
    message = why or f"You are not authorized to perform this operation: {request.service}:{request.action}."
    if why and request.protocol == "ec2":
        message = f"You are not authorized to perform this operation. {why}"
    code = {"ec2": "UnauthorizedOperation", "json": "AccessDeniedException"}.get(request.protocol, "AccessDenied")
    status = "400 Bad Request" if request.protocol == "json" else "403 Forbidden"
    return _answer(request, status, code, message, "Sender")


def would_succeed(request: AwsRequest) -> Answer:
    """The answer to a dry run of an authorized caller
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, DryRunOperation).
    """
    message = "Request would have succeeded, but DryRun flag is set."
    return _answer(request, "412 Precondition Failed", "DryRunOperation", message, "Sender")


def malformed_policy(request: AwsRequest, why: str) -> Answer:
    """The answer to a policy document that cannot be taken
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html, MalformedPolicyDocument).
    """
    return _answer(request, "400 Bad Request", "MalformedPolicyDocument", why, "Sender")


def no_such_entity(request: AwsRequest, why: str) -> Answer:
    """The answer of IAM about an unknown principal."""
    return _answer(request, "404 Not Found", "NoSuchEntity", why, "Sender")


def query_answer(request: AwsRequest, result: str) -> Answer:
    """An answer of the query protocol, around the XML of its result."""
    identity = str(uuid.uuid4())
    name = request.action
    body = (
        f'<{name}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{name}Result>{result}</{name}Result>'
        f"<ResponseMetadata><RequestId>{identity}</RequestId></ResponseMetadata></{name}Response>"
    )
    return _with_headers("200 OK", body, "text/xml;charset=UTF-8", identity)


def reject_signature(request: AwsRequest) -> Answer:
    """The answer to a caller whose key or secret is not known.

    EC2: AuthFailure, 401 (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html); query and REST:
    InvalidClientTokenId, 403; JSON: UnrecognizedClientException, 400
    (https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html); S3: InvalidAccessKeyId, 403.
    """
    status, code, message = {
        "ec2": ("401 Unauthorized", "AuthFailure", "AWS was not able to validate the provided access credentials"),
        "json": ("400 Bad Request", "UnrecognizedClientException", _INVALID_TOKEN),
        "s3": (
            "403 Forbidden",
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
    }.get(request.protocol, ("403 Forbidden", "InvalidClientTokenId", _INVALID_TOKEN))
    return _answer(request, status, code, message, "Sender")


_INVALID_TOKEN = "The security token included in the request is invalid."


def _answer(request: AwsRequest, status: str, code: str, message: str, fault: str) -> Answer:
    identity = str(uuid.uuid4())
    if request.protocol == "json":
        body = json.dumps({"__type": code, "message": message})
        kind_of_body = "application/x-amz-json-1.0"
    else:
        body = _XML[request.protocol].format(code=code, message=escape(message), who=fault, identity=identity)
        kind_of_body = "text/xml;charset=UTF-8"
    return _with_headers(status, body, kind_of_body, identity)


def _with_headers(status: str, body: str, kind_of_body: str, identity: str) -> Answer:
    content = body.encode()
    headers = [
        ("Content-Type", kind_of_body),
        ("Content-Length", str(len(content))),
        ("x-amzn-RequestId", identity),
    ]
    return status, headers, content


def _words(protocol: Protocol, throttled: bool) -> tuple[str, str, str]:
    """(status line, error code, message) for a protocol."""
    unavailable, failed, bad = "503 Service Unavailable", "500 Internal Server Error", "400 Bad Request"
    if throttled:
        return {
            "ec2": (unavailable, "RequestLimitExceeded", "Request limit exceeded."),
            "query": (bad, "Throttling", "Rate exceeded"),
            "rest-xml": (bad, "Throttling", "Rate exceeded"),
            "json": (bad, "ThrottlingException", "Rate exceeded"),
            "s3": (unavailable, "SlowDown", "Please reduce your request rate."),
        }[protocol]
    return {
        "ec2": (failed, "InternalError", "An internal error has occurred"),
        "query": (failed, "InternalFailure", "The request processing has failed because of an unknown error"),
        "rest-xml": (failed, "InternalFailure", "The request processing has failed because of an unknown error"),
        "json": (failed, "InternalServerError", "The server encountered an internal error."),
        "s3": (failed, "InternalError", "We encountered an internal error. Please try again."),
    }[protocol]


_XML: dict[Protocol, str] = {
    "ec2": (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>{code}</Code>'
        "<Message>{message}</Message></Error></Errors><RequestID>{identity}</RequestID></Response>"
    ),
    "query": (
        "<ErrorResponse><Error><Type>{who}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>{identity}</RequestId></ErrorResponse>"
    ),
    "s3": (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
        "<RequestId>{identity}</RequestId></Error>"
    ),
}
_XML["rest-xml"] = _XML["query"]
