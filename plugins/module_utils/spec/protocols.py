# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Protocols of virtual servers: their transport, and what a Network Load Balancer uses to carry them.

Source: NITRO ``lbvserver.servicetype``. Protocols that an appliance uses only internally are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

TCP, UDP = "tcp", "udp"


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol. ``transports``: as security groups name them. ``nlb``: protocol of a listener that carries it."""

    name: str
    transports: tuple[str, ...]
    nlb: str

    @property
    def datagram(self) -> bool:
        """Whether clients use UDP only, so that a load balancer needs another port for its health check."""
        return self.transports == (UDP,)


def _table() -> dict[str, Protocol]:
    stream = (
        *("HTTP", "SSL", "TCP", "SSL_TCP", "SSL_BRIDGE", "DNS_TCP", "FTP", "NNTP", "RTSP", "SIP_TCP", "SIP_SSL"),
        *("RDP", "MYSQL", "MSSQL", "ORACLE", "DIAMETER", "SSL_DIAMETER", "FIX", "SSL_FIX", "SMPP", "SYSLOGTCP"),
    )
    datagram = ("UDP", "DNS", "TFTP", "DTLS", "QUIC", "SIP_UDP", "RADIUS", "SYSLOGUDP")
    rows = [
        *(Protocol(name, (TCP,), "TCP") for name in stream),
        *(Protocol(name, (UDP,), "UDP") for name in datagram),
        Protocol("ANY", (TCP, UDP), "TCP_UDP"),
    ]
    return {row.name: row for row in rows}


PROTOCOLS: dict[str, Protocol] = _table()

#: Protocols of NLB listeners, and the transports that each opens.
LISTENER_TRANSPORTS: dict[str, tuple[str, ...]] = {
    "TCP": (TCP,),
    "TLS": (TCP,),
    "UDP": (UDP,),
    "TCP_UDP": (TCP, UDP),
}


def transports(protocol: str) -> tuple[str, ...]:
    """Return the transports of a protocol; TCP for one that the table does not have."""
    known = PROTOCOLS.get(protocol.upper())
    return known.transports if known else (TCP,)


def listener_protocol(protocol: str, chosen: str | None = None) -> str:
    """Return the protocol of the NLB listener: the one that the user chose, else the one that carries ``protocol``."""
    if chosen:
        return chosen.upper()
    known = PROTOCOLS.get(protocol.upper())
    return known.nlb if known else "TCP"
