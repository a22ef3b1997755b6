# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far the clock of this machine is from AWS's. Pure.

A signature is good for five minutes around its time (IAM user guide, "Troubleshoot Signature Version 4 requests"; the
service's answer then is RequestTimeTooSkewed, RequestExpired or "Signature expired").
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from .rows import Row, failed, ok, unknown, warning

CHECK, SUBJECT = "clock", "this machine"
# Seconds. Leases and tokens live by the clock, too, so it is worth a word long before AWS refuses.
TOLERATED = 30
REFUSED = 300


def skew(date: str | None, received: float) -> float | None:
    """Seconds that this machine is ahead (or, below 0, behind); None if the answer has no Date that can be read.

    ``received``: epoch seconds at which the answer came. A Date has whole seconds, so less than one is nothing.
    """
    try:
        then = parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    behind = received - then.timestamp()
    return 0.0 if 0 <= behind <= 1 else behind


def judge(seconds: float | None) -> Row:
    if seconds is None:
        return unknown(CHECK, SUBJECT, "the answer of AWS has no date")
    apart = abs(seconds)
    if apart < 1:
        return ok(CHECK, SUBJECT, "has the time that AWS has")
    message = f"is {apart:.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS"
    if apart >= REFUSED:
        return failed(CHECK, SUBJECT, f"{message}, which refuses signatures that are {REFUSED} s off; have NTP set it")
    if apart >= TOLERATED:
        return warning(CHECK, SUBJECT, f"{message}; it refuses signatures that are {REFUSED} s off, so have NTP set it")
    return ok(CHECK, SUBJECT, message)
