# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether this machine gets through to the management network, as far as that can be tried. Pure.

Before deployment there is no answer. The row then says which address this machine would come from, and
whether the security group will let that in; not what routers and firewalls on the way do.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from .rows import Row, failed, ok, skipped, warning

CHECK = "reach"


def endpoint(text: str) -> tuple[str, int] | None:
    """``host:port`` or ``[address]:port``; None if it is neither."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    return host, int(port)


def tried(outcomes: Mapping[str, str | None], nodes: Sequence[str]) -> list[Row]:
    """``outcomes``: host:port → why no connection came about, or None for one that did; ``nodes``: the group's own.

    A node may be down, and the playbook may be meant to bring it back; but if none answers, the network is to blame.
    """
    no_answer = all(outcomes[name] is not None for name in nodes)
    rows = []
    for name, trouble in outcomes.items():
        if trouble is None:
            rows.append(ok(CHECK, name, "takes a connection"))
        elif name in nodes and not no_answer:
            rows.append(warning(CHECK, name, f"takes no connection ({trouble}), though other nodes do"))
        else:
            rows.append(failed(CHECK, name, f"takes no connection: {trouble}"))
    return rows


def predicted(network: str, source: str | None, cidrs: Sequence[str], port: int) -> Row:
    """Return a management network without instances to try. ``source``: the address this machine would use."""
    subject = f"{network} port {port}"
    if source is None:
        return failed(CHECK, subject, "this machine has no route to it")
    not_tried = "nothing is there yet to try"
    if not cidrs:
        return warning(CHECK, subject, f"no network is let in by the security group, as none is named; {not_tried}")
    if any(_within(source, cidr) for cidr in cidrs):
        return ok(CHECK, subject, f"this machine would come from {source}, which will be let in; {not_tried}")
    return warning(
        CHECK,
        subject,
        f"this machine has {source}, and {', '.join(cidrs)} will be let in: good only if addresses are translated on "
        f"the way; {not_tried}",
    )


def nonsense(text: str) -> Row:
    return failed(CHECK, text, "is no host:port")


def no_network() -> Row:
    return skipped(CHECK, "management", "no subnet and no address is known")


def _within(address: str, cidr: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
