# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who asks: what sts:GetCallerIdentity says, and whose policies have to be simulated. Pure.

The simulator takes the ARN of a user or a role. A session has another one, without the role's path:
``arn:aws:sts::111122223333:assumed-role/Deploy/session`` is of the role ``arn:aws:iam::111122223333:role/ops/Deploy``
(IAM user guide, "IAM identifiers"; API reference, SimulatePrincipalPolicy, PolicySourceArn).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Kind(enum.Enum):
    ROOT = "root"
    USER = "user"
    ROLE = "assumed-role"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Caller:
    """``name``: of the user or the role. ``partition``: aws, aws-cn, aws-us-gov."""

    arn: str
    account: str
    kind: Kind
    name: str
    partition: str = "aws"

    def principal(self, role_arn: str | None) -> str | None:
        """Return the principal whose policies apply; None if they cannot be simulated.

        ``role_arn``: what iam:GetRole says of the role. Without it the role is taken for one without a path.
        """
        if self.kind is Kind.ROLE:
            return role_arn or f"arn:{self.partition}:iam::{self.account}:role/{self.name}"
        return self.arn if self.kind is Kind.USER else None


def read_caller(reply: Mapping[str, Any]) -> Caller:
    """Of the reply of GetCallerIdentity. Raises ValueError if there is no ARN in it."""
    arn = str(reply.get("Arn") or "")
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise ValueError(f"GetCallerIdentity returned an unparsable ARN: {arn[:80]!r}")
    resource = parts[5]
    kind, _separator, rest = resource.partition("/")
    match kind:
        case "root":
            return Caller(arn, parts[4], Kind.ROOT, "root", parts[1])
        case "user":
            return Caller(arn, parts[4], Kind.USER, rest.rpartition("/")[2], parts[1])
        case "assumed-role":
            return Caller(arn, parts[4], Kind.ROLE, rest.partition("/")[0], parts[1])
    return Caller(arn, parts[4], Kind.OTHER, rest, parts[1])
