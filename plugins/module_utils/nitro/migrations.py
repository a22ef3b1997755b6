# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An ISSU migration: the failover of an upgrade that leaves established connections with the old primary.

Source: vendor's documentation, "In Service Software Upgrade support for high availability" (the migration includes the
failover; the new primary steers established connections to the old one); vendor's NITRO reference, nsmigration (start,
stop, the words of migrationstatus); the vendor's playbook issu_upgrade.yaml (started and read on the upgraded
secondary). That a stop rolls back only what is in progress is read from the words of the status.
"""

from __future__ import annotations

import contextlib
import time

from ..core.errors import Failure
from ..core.nitro_errors import NitroCut, NitroTimeout
from ..core.waiting import Clock, Sleep
from .client import NitroClient
from .software import is_migrating, read_migration, steered_connections
from .waiting import wait_until

#: Seconds between two looks at a migration that waits for connections to end.
_LOOK = 5.0


def start(client: NitroClient) -> None:
    """Begin a migration on the upgraded secondary; one that is in progress is not begun again."""
    if is_migrating(read_migration(client)):
        return
    _act(client, "start")


def stop(client: NitroClient) -> bool:
    """Begin the rollback of a migration in progress; return False if there is none."""
    if not is_migrating(read_migration(client)):
        return False
    _act(client, "stop")
    return True


def _act(client: NitroClient, action: str) -> None:
    # If only the answer is lost, the roles of the nodes show it.
    with contextlib.suppress(NitroCut):
        client.act("nsmigration", action)


def wait_until_completed(
    client: NitroClient, timeout: float, *, clock: Clock = time.monotonic, sleep: Sleep = time.sleep
) -> None:
    """Return when no established connection is left at the old primary.

    Raises:
        Failure: some are left after ``timeout`` seconds. Both nodes serve.
    """

    def left() -> str:
        count = steered_connections(client)
        return f"{client.connection.nsip}: {'some' if count is None else count} connections are left at the old primary"

    try:
        wait_until(
            lambda: not is_migrating(read_migration(client)), timeout, left, clock=clock, sleep=sleep, interval=_LOOK
        )
    except NitroTimeout as error:
        raise Failure(f"{error}. Nothing was installed there; run it again to go on") from None
