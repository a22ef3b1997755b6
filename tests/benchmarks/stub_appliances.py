"""Hundreds of appliances in one process: login, stat/ns and logout over TLS, every address of 127.0.0.0/8 is one.

Started as a program: ``stub_appliances.py <port> <certificate> <key>``. ``GET /stubs`` tells, by address, how many
sessions are open, how many were open at most, and how many queries came; hostile addresses answer with something else.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import sys
from collections import Counter
from typing import Any

FIGURES = {
    "pktcpuusagepcnt": 30.0,
    "memusagepcnt": 50.0,
    "mgmtcpuusagepcnt": 1.0,
    "rxmbitsrate": 10.0,
    "txmbitsrate": 10.0,
    "tcpcurclientconn": "100",
}
DEEP = "[" * 20000


class Appliances:
    """The sessions and queries of all addresses. An address that ends in .66 answers with nested lists."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.open: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()

    def answer(self, address: str, method: str, path: str) -> tuple[int, str]:
        if path == "/stubs":
            return 200, json.dumps({"open": self.open, "most": self.most, "queries": self.queries})
        if path.endswith("/config/login"):
            self.open[address] += 1
            self.most[address] = max(self.most[address], self.open[address])
            return 201, json.dumps({"errorcode": 0, "message": "Done", "sessionid": f"s{next(self.numbers)}"})
        if path.endswith("/config/logout"):
            self.open[address] -= 1
            return 201, json.dumps({"errorcode": 0, "message": "Done"})
        self.queries[address] += 1
        if address.endswith(".66"):
            return 200, DEEP
        body: dict[str, Any] = {"errorcode": 0, "message": "Done", "ns": FIGURES}
        return (200, json.dumps(body)) if method == "GET" else (405, "{}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: an appliance may close what is idle for longer than it likes."""
        address = writer.get_extra_info("sockname")[0]
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                (int(x.split(":")[1]) for x in head.split("\r\n") if x.lower().startswith("content-length")), 0
            )
            await reader.readexactly(length)
            method, path, _rest = head.split(" ", 2)
            status, text = self.answer(address, method, path)
            data = text.encode()
            writer.write(
                f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + data
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def content_length(head: str) -> int:
    """Return the length of the body that follows this head of a request."""
    fields = [line.partition(":") for line in head.split("\r\n")]
    return next((int(value) for name, _colon, value in fields if name.lower() == "content-length"), 0)


async def main(port: int, certificate: str, key: str) -> None:
    """Serve until the process is terminated."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(Appliances().serve, "0.0.0.0", port, ssl=context, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
