# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One boto3 client for the whole task, shared by its threads (boto3 clients are thread-safe, sessions are not)."""

from __future__ import annotations

from typing import Any, NoReturn

from ..core.bounded_aws import bounded
from ..core.parallel import WORKERS
from .errors import AwsError

# boto3's clients are made at run time from data; their methods have no static type.
Client = Any


#: Seconds for an answer to a call that moves an address: what takes longer is judged again.
BRIEF = 5


def connect(
    module: Any, service: str, *, read_timeout: float = 30, attempts: int = 4, parallel: int = WORKERS, **extra: Any
) -> Client:
    """Return a client with timeouts (seconds) and room for parallel calls; the user's ``aws_config`` overrides both.

    ``parallel``: calls at once, each of which has a connection of its own.
    ``attempts``: how often the SDK sends a call that is not answered or put off; 1 for clients that make writes which
    must be judged again before they are repeated (reads then repeat themselves, see errors.aws_call).

    Raises AwsError if there can be none: an unknown profile, a malformed endpoint.
    """

    def refuse(error: Exception, msg: str | None = None, **_facts: object) -> NoReturn:
        raise AwsError(msg or f"Failed to connect to {service}", error) from None

    # What amazon.aws calls when a client cannot be made; its own way ends the module with a traceback.
    module.fail_json_aws = refuse
    return bounded(
        module.client(
            service,
            config={
                "max_pool_connections": parallel,
                "connect_timeout": 5,
                "read_timeout": read_timeout,
                "retries": {"mode": "standard", "total_max_attempts": attempts},
            },
            **extra,
        )
    )
