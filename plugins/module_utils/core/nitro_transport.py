# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""HTTP to something with a NITRO API, an appliance or a console: one exchange, and every way in which it can fail."""

from __future__ import annotations

import functools
import re
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from . import nitro_wire as wire
from .bounded_http import (
    MAX_BYTES,
    AnswerTooLarge,
    AnswerTooLate,
    TimedResponse,
    caused_by,
    limits,
    read_all,
    unpack,
)
from .fingerprints import fingerprint
from .nitro_errors import (
    BAD_CREDENTIALS,
    SESSION_GONE,
    TOO_MANY_SESSIONS,
    NitroAuthError,
    NitroCut,
    NitroError,
    NitroGarbled,
    NitroInputError,
    NitroNotReady,
    NitroOversized,
    NitroPinMismatch,
    NitroUnreachable,
    NitroUntrusted,
)
from .redaction import redact

try:
    import requests
    import urllib3

    HAS_REQUESTS = True
except ImportError:
    HAS_REQUESTS = False
else:

    class _HttpConnection(urllib3.connection.HTTPConnection):
        response_class = TimedResponse

    class _HttpsConnection(urllib3.connection.HTTPSConnection):
        response_class = TimedResponse

    class _HttpPool(urllib3.HTTPConnectionPool):
        ConnectionCls = _HttpConnection

    class _HttpsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = _HttpsConnection

    class _Adapter(requests.adapters.HTTPAdapter):
        """Connections whose answers have a total deadline and a size limit.

        ``verified`` false: certificates are not verified. All these connections share one TLS context: urllib3 would
        otherwise load the system's authorities for each connection (60 ms of CPU) and then ignore them.
        ``fingerprints``: those that are accepted; each connection compares, before anything is sent over it.
        """

        def __init__(self, *, verified: bool, fingerprints: tuple[str, ...] = ()) -> None:
            self._verified = verified
            self._pools = {"http": _HttpPool, "https": _pinned_pool(fingerprints) if fingerprints else _HttpsPool}
            super().__init__()

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            kwargs.update(self._tls())
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = self._pools

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            """Return the pools of a proxy of the environment, with the same limits and the same pins."""
            kwargs.update(self._tls())
            manager = super().proxy_manager_for(*args, **kwargs)
            manager.pool_classes_by_scheme = self._pools
            return manager

        def _tls(self) -> dict[str, Any]:
            return {} if self._verified else {"ssl_context": _unverified_context()}

    def _pinned_pool(accepted: tuple[str, ...]) -> type[_HttpsPool]:
        class PinnedConnection(_HttpsConnection):
            def connect(self) -> None:
                super().connect()
                sock: Any = self.sock
                found = fingerprint(sock.getpeercert(binary_form=True) or b"")
                if found not in accepted:
                    self.close()
                    raise WrongFingerprint(found)

        class PinnedPool(_HttpsPool):
            ConnectionCls = PinnedConnection

        return PinnedPool


class WrongFingerprint(ssl.SSLError):
    """The certificate of a connection is none of those that are accepted. ``found``: its fingerprint."""

    def __init__(self, found: str) -> None:
        super().__init__(f"the certificate has the fingerprint {found}")
        self.found = found


USER_AGENT = "cloudadc.aws"
_PAUSES = (0.25, 1.0)


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side. ``name``: its name in messages, its address; ``what``: what it is, for "… answered 354".

    ``base``: the URL before every path. ``timeout`` in seconds, for each answer from its request to its last byte;
    ``connect_timeout``: a host that takes longer to accept a connection, TLS included, counts as not there.
    ``session_option``: the option in which a session id is given. ``fingerprints``: SHA-256, of the certificates that
    are accepted, whatever their issuer; none: certificates are verified by authorities, if at all.
    """

    name: str
    base: str
    what: str = "the appliance"
    session_option: str = "nitro_auth_token"
    validate_certs: bool = True
    ca_path: str | None = None
    timeout: float = 30.0
    connect_timeout: float = 10.0
    fingerprints: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether authorities verify its certificate."""
        return self.validate_certs and not self.fingerprints


class Broken(NitroCut):
    """The connection broke, at once and not by silence: asking again costs little."""


class BrokenTls(Broken):
    """TLS failed before a request was sent, as on an appliance that boots."""


class Transport:
    """Exchanges with one peer over connections that are kept. ``secrets``: what no message may show."""

    def __init__(self, peer: Peer, *, secrets: Iterable[str] = (), sleep: Callable[[float], None] = time.sleep) -> None:
        self.peer = peer
        self.secrets = set(secrets)
        self._sleep = sleep
        self._http = _session(peer)

    def close(self) -> None:
        """Close the connections; a later exchange opens new ones."""
        self._http.close()

    def exchange(
        self,
        doing: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        repeatable: bool = False,
        timeout: float | None = None,
        repeats: int = len(_PAUSES),
    ) -> wire.Reply:
        """Send one HTTP request and return the answer; ``path`` below the base, or a whole URL. Raises NitroError.

        Repeated when the peer has no room for it (nothing was carried out), and after a cut connection, at most
        ``repeats`` times, only where carrying it out twice does no harm.
        """
        limit = self.peer.timeout if timeout is None else timeout
        for pause in (*_PAUSES, None):
            try:
                reply = self._send(doing, method, path, {"json": body, "data": form, "headers": headers}, limit)
                if reply.code not in TOO_MANY_SESSIONS or pause is None:
                    return reply
            except Broken:
                repeats -= 1
                if not repeatable or pause is None or repeats < 0:
                    raise
            self._sleep(pause)
        raise AssertionError("the last turn of the loop returns or raises")

    def garbled(self, doing: str, what: str, status: int = 0) -> NitroGarbled:
        """Return the error for an answer that is not NITRO's."""
        return NitroGarbled(f"{self.peer.name}: {doing}: expected NITRO's JSON, got {what}", http_status=status)

    def refused(self, doing: str, reply: wire.Reply, resource: str = "") -> NitroError:
        """Return the error for an answer with an error code."""
        answer_text = redact(reply.message, self.secrets)
        kind = NitroAuthError if reply.status == 401 or reply.code in BAD_CREDENTIALS | SESSION_GONE else NitroError
        what = " ".join(part for part in (str(reply.code) if reply.code else "", answer_text) if part) or "nothing more"
        shown = f"{self.peer.name}: {doing}: {self.peer.what} answered {what} (HTTP {reply.status})"
        return kind(shown, code=reply.code, message=answer_text, http_status=reply.status, resource=resource)

    def _send(self, doing: str, method: str, path: str, content: Mapping[str, Any], timeout: float) -> wire.Reply:
        verify: bool | str = self.peer.verified and (self.peer.ca_path or True)
        try:
            with (
                limits(timeout),
                self._http.request(
                    method,
                    path if path.startswith(("https://", "http://")) else self.peer.base + path,
                    **content,
                    timeout=(min(timeout, self.peer.connect_timeout), timeout),
                    verify=verify,
                    allow_redirects=False,
                    stream=True,
                ) as answer,
            ):
                text = unpack(read_all(answer.raw), answer.headers.get("Content-Encoding", ""))
        except ValueError as error:
            if isinstance(error, requests.RequestException):
                raise self._no_answer(doing, error, timeout) from None
            raise self.garbled(doing, str(error), answer.status_code) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._no_answer(doing, error, timeout) from None
        reply = wire.parse_reply(
            answer.status_code, answer.headers.get("Content-Type", ""), text, body_expected=method == "GET"
        )
        if reply.status == 503 and reply.code not in TOO_MANY_SESSIONS:
            raise NitroNotReady(f"{self.peer.name}: {doing}: NITRO is not up (HTTP 503)", http_status=503)
        if reply.garbled:
            raise self.garbled(doing, reply.garbled, reply.status)
        return reply

    def _no_answer(self, doing: str, error: Exception, timeout: float) -> NitroError:
        start = f"{self.peer.name}: {doing}"
        if caused_by(error, AnswerTooLarge):
            return NitroOversized(f"{start}: the answer has more than {MAX_BYTES // 2**20} MiB")
        late = caused_by(error, AnswerTooLate)
        if isinstance(late, AnswerTooLate):
            return NitroCut(f"{start}: no {'complete ' if late.begun else ''}answer within {timeout:g} s")
        if isinstance(error, requests.exceptions.SSLError):
            return self._no_tls(start, error)
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return NitroUnreachable(f"{start}: no connection within {_seconds(error, timeout)} s")
        if isinstance(error, requests.exceptions.ReadTimeout):
            return NitroCut(f"{start}: no answer within {_seconds(error, timeout)} s")
        if isinstance(error, urllib3.exceptions.HTTPError):
            return Broken(f"{start}: {_reason(error)}")
        if isinstance(error, requests.exceptions.InvalidHeader):
            return NitroInputError(f"{start}: {self.peer.session_option} has characters that no session id has")
        if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
            kind = NitroUnreachable if _never_connected(error) else Broken
            return kind(f"{start}: {_reason(error)}")
        # What is left is a bad ca_path (OSError) or a URL that requests does not accept.
        return NitroInputError(redact(f"{start}: {error}", self.secrets))

    def _no_tls(self, start: str, error: Exception) -> NitroError:
        wrong = caused_by(error, WrongFingerprint)
        if isinstance(wrong, WrongFingerprint):
            return NitroPinMismatch(_mismatch(start, wrong.found, self.peer.fingerprints), found=wrong.found)
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            trusted = self.peer.ca_path or "the system's authorities"
            return NitroUntrusted(f"{start}: its certificate is not trusted by {trusted}: {_reason(error)}")
        return BrokenTls(f"{start}: TLS failed: {_reason(error)}")


def absent(reply: wire.Reply, codes: Iterable[int]) -> bool:
    """Whether an answer says that there is no such thing."""
    return reply.status == 404 or reply.code in codes


@functools.cache
def _unverified_context() -> ssl.SSLContext:
    """Return the TLS context of connections whose certificates are not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _mismatch(start: str, found: str, accepted: Iterable[str]) -> str:
    return (
        f"{start}: its certificate has the SHA-256 fingerprint {found}, and the pinned one is {' or '.join(accepted)}. "
        "Nothing was sent: another machine may answer at this address. If its certificate was replaced, compare with "
        "what the appliance itself says (openssl x509 -in /nsconfig/ssl/ns-server.cert -noout -fingerprint -sha256), "
        "and name the new one in accept_fingerprints of vpx_bootstrap, or ha_pair_accept_fingerprints or "
        "autoscale_group_accept_fingerprints of the playbooks"
    )


def _session(peer: Peer) -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(verified=peer.verified, fingerprints=peer.fingerprints))
    session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
    # Otherwise requests would send what ~/.netrc has for this host, and basic authentication beats the session.
    session.auth = _no_auth
    # The token is sent by name; cookies the peer sets would be a second, stale opinion after a new login.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if not peer.verified:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return session


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _seconds(error: Exception, timeout: float) -> str:
    """Return the timeout that applied: those of connection, TLS and answer differ."""
    found = re.search(r"timeout=(\d+(?:\.\d+)?)", str(error))
    return f"{float(found[1]) if found else timeout:g}"


def _never_connected(error: Exception) -> bool:
    return "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)


def _reason(error: BaseException) -> str:
    """Return the innermost cause, which requests and urllib3 wrap several times."""
    observed: BaseException = error
    while True:
        inner = getattr(observed, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((a for a in observed.args if isinstance(a, BaseException)), None) or observed.__cause__
        if inner is None or inner is observed:
            break
        observed = inner
    if isinstance(observed, OSError) and observed.strerror:
        return observed.strerror
    text = str(observed.args[-1]) if observed.args else type(observed).__name__
    return text.split(">: ")[-1]
