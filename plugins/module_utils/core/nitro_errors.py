# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Errors of requests to an appliance, each with a message a person can act on."""

from __future__ import annotations

from typing import Any

from .errors import Failure

# The vendor's ways of saying "there is no such thing" (vendor NITRO reference, error messages): 258 No such resource,
# 461-463 No such vserver/service/service group, 344 No service, 362 Invalid node ID, 1540 Certificate does not exist,
# 2448 Cluster does not exist.
ABSENT_CODES = frozenset({258, 344, 362, 461, 462, 463, 1540, 2448})
BAD_CREDENTIALS = frozenset({354, 355})
# 444 Session expired or killed, 1027 Not logged in or connection timed out.
SESSION_GONE = frozenset({444, 1027})
# 445 Session limit exceeded, 446 Connection limit to CFE exceeded, and a console's 10020, the user session count has
# exceeded the maximum limit: passes after a logout of another session.
TOO_MANY_SESSIONS = frozenset({445, 446, 10020})
# 293 Operation already in progress, 1461 Maximum number of concurrent save configs are in progress.
BUSY = frozenset({293, 1461})
FORCE_PASSWORD_CHANGE = 1046


class NitroError(Failure):
    """An appliance refused, or could not be understood; ``str(error)`` is the message shown to users.

    ``code`` is the appliance's error code (0: it gave none), ``message`` its text, ``http_status`` 0 when there was
    no HTTP answer at all, ``resource`` the NITRO type that was asked for. No secret may be handed in.
    """

    def __init__(
        self, shown: str, *, code: int = 0, message: str = "", http_status: int = 0, resource: str = ""
    ) -> None:
        super().__init__(shown)
        self.code = code
        self.message = message or shown
        self.http_status = http_status
        self.resource = resource

    def codes(self) -> dict[str, Any]:
        """Return the appliance's error code; empty if it gave none."""
        return {"nitro_errorcode": self.code} if self.code else {}

    def and_also(self, more: str) -> NitroError:
        """Return the same error with an additional explanation."""
        return type(self)(
            f"{self}; {more}",
            code=self.code,
            message=self.message,
            http_status=self.http_status,
            resource=self.resource,
        )


class NitroInputError(NitroError):
    """What the user asked for cannot be asked of any appliance; nothing was sent."""


class NitroUnreachable(NitroError):
    """No answer: unreachable, refused, timed out, or the connection broke."""


class NitroNotReady(NitroUnreachable):
    """HTTP 503: the machine is there, NITRO is not up yet, and nothing was carried out."""


class NitroCut(NitroUnreachable):
    """The connection was there and broke, or no answer came in time: what was asked may have been carried out."""


class NitroUntrusted(NitroError):
    """The certificate does not verify: waiting will not help."""


class NitroPinMismatch(NitroUntrusted):
    """The certificate is not the pinned one, so nothing was sent. ``found``: its fingerprint."""

    def __init__(self, shown: str, *, found: str = "", **facts: Any) -> None:
        super().__init__(shown, **facts)
        self.found = found

    def and_also(self, more: str) -> NitroPinMismatch:
        """Return the same error with an additional explanation."""
        return type(self)(f"{self}; {more}", found=self.found)


class NitroGarbled(NitroError):
    """An answer that is not NITRO: HTML, JSON cut short, nothing at all."""


class NitroAuthError(NitroError):
    """User, password or token were not accepted."""


class NitroTimeout(NitroError):
    """A bounded wait ran out; the message has the last observation."""


class NitroOversized(NitroGarbled):
    """An answer larger than any that NITRO gives; it was not read to its end."""


class NitroLoginHeld(NitroError):
    """No login was sent, because earlier ones failed a moment ago; an existing session could still be used."""
