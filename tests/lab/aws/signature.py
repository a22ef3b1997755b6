"""Who signed a request: Signature Version 4 as the services check it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from tests.lab.aws.protocol import body_of
from tests.lab.world import Environ

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signature:
    """The parts of an Authorization header. ``scope``: date/region/service/aws4_request."""

    key_id: str
    scope: str
    headers: tuple[str, ...]
    value: str


def read_signature(environ: Environ) -> Signature | None:
    """The request's signature, None if it has none of this kind."""
    algorithm, _ignored, rest = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if algorithm != ALGORITHM:
        return None
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    key_id, _ignored, scope = parts.get("Credential", "").partition("/")
    return Signature(key_id, scope, tuple(parts.get("SignedHeaders", "").split(";")), parts.get("Signature", ""))


def key_of(environ: Environ) -> str | None:
    """The id of the access key that signed the request, None if it is not signed."""
    signed = read_signature(environ)
    return signed.key_id if signed else None


def is_genuine(environ: Environ, keys: Mapping[str, str | None]) -> bool:
    """Whether one of ``keys`` (access key id → secret, None: any signature) signed this.

    Unsigned requests and temporary keys (ASIA…) pass. Signatures over a path or a query are taken on trust: how these
    are encoded differs between the services, and none of the actions a client begins with has any.
    """
    signed = read_signature(environ)
    if signed is None or signed.key_id.startswith("ASIA"):
        return True
    if signed.key_id not in keys:
        return False
    secret = keys[signed.key_id]
    if secret is None or environ.get("PATH_INFO", "/") != "/" or environ.get("QUERY_STRING"):
        return True
    return hmac.compare_digest(signed.value, _sign(environ, signed, secret))


def _sign(environ: Environ, signed: Signature, secret: str) -> str:
    headers = "".join(f"{name}:{_header(environ, name)}\n" for name in signed.headers)
    body = hashlib.sha256(body_of(environ)).hexdigest()
    canonical = "\n".join([environ["REQUEST_METHOD"], "/", "", headers, ";".join(signed.headers), body])
    date = environ.get("HTTP_X_AMZ_DATE", "")
    text = "\n".join([ALGORITHM, date, signed.scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in signed.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _header(environ: Environ, name: str) -> str:
    key = name.upper().replace("-", "_")
    value = environ.get(key) if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else environ.get(f"HTTP_{key}")
    return " ".join(str(value or "").split())
