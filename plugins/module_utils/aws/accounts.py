# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clients of EC2 that act as other roles, for resources of other accounts: the route tables of a shared VPC."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ..core.errors import Refusal
from .client import Client, connect
from .sts import assume_role

#: Seconds before the end of a session in which it is not used any more.
MARGIN = 300.0


class Accounts:
    """The caller's own client, and clients of roles, made when they are needed. It stands in for the own client.

    ``assume``: makes a client that acts as a role (ARN), and says until when (seconds since 1970).
    """

    def __init__(
        self, own: Client, assume: Callable[[str], tuple[Client, float]], clock: Callable[[], float] = time.time
    ) -> None:
        self._own, self._assume, self._clock = own, assume, clock
        self._lock = threading.Lock()
        self._of: dict[str, tuple[Client, float]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def acting_as(self, role_arn: str | None) -> Client:
        """Return the client of a role, or the own one (None). Raises Failure if the role cannot be assumed."""
        if role_arn is None:
            return self._own
        with self._lock:
            client, until = self._of.get(role_arn, (None, 0.0))
            if self._clock() > until - MARGIN:
                client, until = self._of[role_arn] = self._assume(role_arn)
            return client


def acting_as(client: Client, role_arn: str | None) -> Client:
    """Return what makes the calls of a role. Raises Refusal if the caller's client can act as no other role."""
    if role_arn is None:
        return client.acting_as(None) if isinstance(client, Accounts) else client
    if not isinstance(client, Accounts):
        raise Refusal(f"role {role_arn} cannot be assumed here: the caller acts in its own account only")
    return client.acting_as(role_arn)


def connect_accounts(module: Any, own: Client, **options: Any) -> Accounts:
    """Return the clients of a module's EC2. ``own``: made by connect; ``options``: of connect, for the others."""

    def assume(role_arn: str) -> tuple[Client, float]:
        session = assume_role(connect(module, "sts"), role_arn)
        return connect(module, "ec2", **options, **_keys(session)), _until(session)

    return Accounts(own, assume)


def _keys(session: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }


def _until(session: Mapping[str, Any]) -> float:
    expiration = session["Expiration"]
    return expiration.timestamp() if isinstance(expiration, datetime) else 0.0
