# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many writes are sent at a time after EC2 has throttled some. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Calls a second that EC2 accepts of an action whose bucket is empty, in an account without raised quotas
#: (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html, mutating actions and those on addresses).
REFILL = 5.0
SLOWEST = 1.0


@dataclass(slots=True)
class WriteRate:
    """The calls a second that EC2 is expected to accept. None: no call was throttled yet, all are sent at once.

    The rate rises by one after a round without a throttled call, because the account may have a raised quota, and is
    halved after a round with one.
    """

    a_second: float | None = None
    sent_at: float = 0.0

    def note(self, now: float, throttled: bool) -> None:
        """Take note of a round of writes that ended at ``now`` (seconds)."""
        if self.a_second is None:
            self.a_second = REFILL if throttled else None
        elif throttled:
            self.a_second = max(SLOWEST, self.a_second / 2)
        else:
            self.a_second += 1
        self.sent_at = now

    def allowance(self, now: float) -> int | None:
        """Return how many calls may be sent at ``now``; None: any number."""
        if self.a_second is None:
            return None
        return math.floor(self.a_second * (now - self.sent_at))
