# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether every other node of a pair or cluster has a certificate that was configured on one of them.

A secondary pulls the files of its primary about once a minute, and a certkey whose files have not come yet fails there
without a word to the primary (vendor's article CTX138748). So each node is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from ..core.nitro_errors import NitroError, NitroUnreachable
from .certificate_read import certkeys, lacks, systemtype
from .certificates import FILE_SYNC, Certificate
from .client import NitroClient
from .waiting import wait_until

#: A synchronisation that was asked for takes seconds; one that takes a minute is not merely late.
WAIT_SECONDS = 60.0
#: hasync: "Cannot execute force sync when synchronization is in progress".
_SYNC_IN_PROGRESS = 412


@dataclass(frozen=True, slots=True)
class OtherNodes:
    """Which nodes to read. ``connect``: a client for an address; ``warn``: for what the user should know."""

    addresses: Sequence[str]
    connect: Callable[[str], NitroClient]
    warn: Callable[[str], None]
    timeout: float = WAIT_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def spread(client: NitroClient, certificate: Certificate, others: OtherNodes) -> bool:
    """Read the certificate on every other node, and synchronise those that lack it; True if that was necessary.

    A node that does not answer is a warning: it takes files and configuration from the others when it is back. Calls:
    one login, one GET and one logout a node. Raises NitroTimeout where a node still lacks it in the end.
    """
    with _answering(others) as nodes:
        lacking = [node for node in nodes if lacks(certkeys(node), certificate)]
        if not lacking:
            return False
        _synchronise(client, lacking)
        for node in lacking:
            _wait(node, certificate, others)
        return True


@contextmanager
def _answering(others: OtherNodes) -> Iterator[list[NitroClient]]:
    with ExitStack() as stack:
        nodes = []
        for address in others.addresses:
            node = stack.enter_context(others.connect(address))
            try:
                node.login()
                nodes.append(node)
            except NitroUnreachable as error:
                others.warn(f"{error}: whether it has the certificate is not known")
        yield nodes


def _synchronise(client: NitroClient, lacking: Sequence[NitroClient]) -> None:
    """Files first, then the configuration that needs them."""
    kind = systemtype(client)
    if kind not in FILE_SYNC:
        names = ", ".join(node.connection.nsip for node in lacking)
        raise NitroError(
            f"{client.connection.nsip}: {names} lacks the certificate, and is no other node of the same pair or cluster"
        )
    client.act(FILE_SYNC[kind], "sync", {"mode": ["ssl"]})
    if kind == "Cluster":
        for node in lacking:
            node.act("clustersync", "Force", {})
        return
    try:
        client.act("hasync", "Force", {"force": True})
    except NitroError as error:
        if error.code != _SYNC_IN_PROGRESS:
            raise


def _wait(node: NitroClient, certificate: Certificate, others: OtherNodes) -> None:
    message = [""]

    def complete() -> bool:
        message[0] = lacks(certkeys(node), certificate) or ""
        return not message[0]

    wait_until(
        complete,
        others.timeout,
        lambda: f"{node.connection.nsip}: {message[0]}, although files and configuration were synchronised",
        clock=others.clock,
        sleep=others.sleep,
    )
