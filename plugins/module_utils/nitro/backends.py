# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The back ends that appliances have for applications, read side by side in one session an appliance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..core.errors import Failure
from ..core.parallel import ask_all
from .module import client_from
from .steps import Row, canonical_or_none, whole

#: Address and port by application; applications that the appliance does not have are left out.
Observed = dict[str, frozenset[tuple[str, int]]]


class _Reader(Protocol):
    def get(self, resource: str, name: str | int | None = None) -> list[Row]: ...


def backends_of(client: _Reader, applications: Sequence[str]) -> Observed:
    """Return the members of each application's service group on one appliance; one GET an application.

    Source: servicegroup_servicegroupmember_binding in the vendor's NITRO reference. A group without members and a
    group that does not exist have the same answer, so the group itself is read then.
    """
    found: Observed = {}
    for name in applications:
        rows = client.get("servicegroup_servicegroupmember_binding", f"{name}-sg")
        members = [(canonical_or_none(row.get("ip")), whole(row.get("port"))) for row in rows]
        if rows or client.get("servicegroup", f"{name}-sg"):
            found[name] = frozenset((ip, port) for ip, port in members if ip is not None and port is not None)
    return found


def read_backends(
    params: Mapping[str, Any], applications: Sequence[str], nsips: Sequence[str]
) -> dict[str, Observed | Failure]:
    """Return what each of these appliances has, or why it could not be read; every one has ``nitro_timeout``.

    Raises:
        NitroInputError: Options with which no appliance could be queried.
    """
    clients = {nsip: client_from(params, nsip=nsip) for nsip in dict.fromkeys(nsips)}

    def reading(nsip: str) -> Callable[[], Observed]:
        def read() -> Observed:
            with clients[nsip] as client:
                return backends_of(client, applications)

        return read

    return ask_all({nsip: reading(nsip) for nsip in clients}, float(params["nitro_timeout"]))
