"""Appliances over HTTP whose last octet says what is wrong with them: a program, ``troubled_appliances.py``.

.10 is healthy; .20 answers later than its callers wait; .30 drips its answer, a byte at a time; .40 accepts connections
and never answers; .50 changes from one to the next every few seconds. Any address of 127.0.0.0/8 is one. Its first line
is its port. ``GET /stubs`` tells how many sessions are open at each address.
"""

from __future__ import annotations

import asyncio
import json
import time

from tests.benchmarks.stub_appliances import Appliances, content_length

SLOW_SECONDS = 1.5
DRIP_SECONDS = 0.2
CHANGE_SECONDS = 7.0
IDLE_SECONDS = 300.0
TROUBLES = ("none", "slow", "drip", "dead")


def trouble_of(address: str) -> str:
    number = int(address.rpartition(".")[2]) // 10
    if number == 5:
        return TROUBLES[int(time.monotonic() / CHANGE_SECONDS) % len(TROUBLES)]
    return TROUBLES[number - 1] if 1 <= number <= len(TROUBLES) else "none"


class Troubled(Appliances):
    """The appliances. Those of one pair have the same third octet; the one that ends in 0 is primary.

    ``used``: when each session was last used, by address and id; one that is idle for long ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.used: dict[str, dict[str, float]] = {}

    def note(self, address: str, head: str, answer: str) -> None:
        """Take note of a session that is opened, used or closed, and end those that are idle."""
        now, mine = time.monotonic(), self.used.setdefault(address, {})
        _method, path, _rest = head.split(" ", 2)
        session = next((part.split(";")[0].strip() for part in head.split("NITRO_AUTH_TOKEN=")[1:]), "").split("\r")[0]
        if path.endswith("/config/login"):
            mine[json.loads(answer)["sessionid"]] = now
        elif path.endswith("/config/logout"):
            mine.pop(session, None)
        elif session in mine:
            mine[session] = now
        for name in [name for name, at in mine.items() if now - at > IDLE_SECONDS]:
            del mine[name]

    def answer(self, address: str, method: str, path: str) -> tuple[int, str]:
        if path == "/stubs":
            return 200, json.dumps({"open": {address: len(sessions) for address, sessions in self.used.items()}})
        if path.endswith("/config/hanode"):
            self.queries[address] += 1
            first = address.endswith("0")
            other = f"{address[:-1]}{int(first)}"
            roles = ("Primary", "Secondary") if first else ("Secondary", "Primary")
            rows = [
                {"id": "0", "ipaddress": address, "state": roles[0], "hastatus": "UP"},
                {"id": "1", "ipaddress": other, "state": roles[1], "hastatus": "UP"},
            ]
            return 200, json.dumps({"errorcode": 0, "message": "Done", "hanode": rows})
        return super().answer(address, method, path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await reader.readexactly(content_length(head))
            method, path, _rest = head.split(" ", 2)
            trouble = "none" if path == "/stubs" else trouble_of(address)
            if trouble == "dead":
                await reader.read()  # until the caller gives up
                return
            status, text = self.answer(address, method, path)
            if path != "/stubs":
                self.note(address, head, text)
            if trouble == "slow":
                await asyncio.sleep(SLOW_SECONDS)
            data = text.encode()
            writer.write(
                f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            if trouble == "drip":
                for number in range(len(data)):
                    writer.write(data[number : number + 1])
                    await writer.drain()
                    await asyncio.sleep(DRIP_SECONDS)
            else:
                writer.write(data)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main() -> None:
    """Serve until the process is terminated."""
    server = await asyncio.start_server(Troubled().serve, "0.0.0.0", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
