"""Over HTTP, against an SDK server with one empty async tool, and against FastMCP with one.

    python benchmarks/over_http.py [ROUNDS]
    python benchmarks/over_http.py memory

All serve one process on loopback, with the same event loop and parser. `check_ip` includes the edge (credential, allow
list, rate), the gate and an audit entry that is on the disk before the answer goes out. Rounds alternate; the median of
the ratios counts. Sequential: time of one call, one client. Throughput: 32 clients, each with ids and a session of its
own. Targets: p50 <= 1.6 x, throughput >= 0.6 x; faster than FastMCP in both.

`memory` compares what the server holds after 1,000 and after 100,000 calls. Target: within 10 %.

A rate of the platform's largest tier would hold one app to 50 calls a second, so the calls are spread over many apps.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).parent
ROUNDS, CALLS, CLIENTS, SECONDS = 15, 200, 32, 1.5
APPS = 900
FEW, MANY = 1_000, 100_000
OURS = [str(Path(sys.executable).parent / "chekt-mcp")]
VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Connection(asyncio.Protocol):
    """A client as thin as possible, so that what is measured is the server."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[tuple[bytes, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def to(cls, port: int) -> Connection:
        """Connect to a server on this machine."""
        _, protocol = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Send a request; return head and body of its answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        """Collect until the announced length is there."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        if len(body) >= length and self._answer is not None:
            self._received, answer, self._answer = b"", self._answer, None
            answer.set_result((head, body))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measurement: where it listens, and the requests of one client after another."""

    name: str
    pid: int
    port: int
    requests: Callable[[Connection], AsyncIterator[bytes]]


ids = itertools.count(1)


def request(port: int, message: dict[str, Any], headers: dict[str, str]) -> bytes:
    """Return a POST with a message."""
    body = json.dumps(message).encode()
    given = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join(["POST /mcp HTTP/1.1", *lines, "", ""]).encode() + body


def modern_call(port: int, tool: str, arguments: dict[str, Any], key: str | None) -> bytes:
    """Return a call of 2026-07-28, with an id of its own."""
    params = {"name": tool, "arguments": arguments, "_meta": META}
    message = {"jsonrpc": "2.0", "id": next(ids), "method": "tools/call", "params": params}
    headers = {"MCP-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": tool}
    return request(port, message, headers | ({"Authorization": f"Bearer {key}"} if key else {}))


def modern(
    port: int, tool: str, arguments: dict[str, Any], keys: list[str] | None
) -> Callable[..., AsyncIterator[bytes]]:
    """Return the requests of a client that needs no session; each call presents the next key."""
    presented = itertools.cycle(keys or [""])

    async def requests(_connection: Connection) -> AsyncIterator[bytes]:
        while True:
            yield modern_call(port, tool, arguments, next(presented) or None)

    return requests


def with_session(port: int) -> Callable[..., AsyncIterator[bytes]]:
    """Return the requests of a client that opens a session of its own first."""

    async def requests(connection: Connection) -> AsyncIterator[bytes]:
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        begin = {"jsonrpc": "2.0", "id": next(ids), "method": "initialize", "params": client}
        head, _ = await connection.ask(request(port, begin, {}))
        session = head.lower().partition(b"mcp-session-id: ")[2].split(b"\r\n")[0].decode()
        headers = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-06-18"}
        while True:
            params = {"name": "empty", "arguments": {}}
            yield request(port, {"jsonrpc": "2.0", "id": next(ids), "method": "tools/call", "params": params}, headers)

    return requests


async def asked(connection: Connection, message: bytes) -> None:
    """Make one call, which must succeed."""
    head, body = await connection.ask(message)
    assert head.startswith(b"HTTP/1.1 200"), (head, body)
    assert b'"isError":true' not in body.replace(b" ", b""), body


async def sequential(server: Server, calls: int) -> float:
    """Return the median time of a call, in seconds."""
    connection = await Connection.to(server.port)
    requests, times = server.requests(connection), list[float]()
    for _ in range(calls):
        message = await anext(requests)
        start = time.perf_counter()
        await asked(connection, message)
        times.append(time.perf_counter() - start)
    connection.close()
    return statistics.median(times)


async def throughput(server: Server, clients: int, seconds: float) -> float:
    """Return calls per second of so many clients at once."""
    connections = [await Connection.to(server.port) for _ in range(clients)]
    made, until = 0, time.perf_counter() + seconds

    async def work(connection: Connection) -> None:
        nonlocal made
        async for message in server.requests(connection):
            await asked(connection, message)
            made += 1
            if time.perf_counter() > until:
                return

    start = time.perf_counter()
    await asyncio.gather(*map(work, connections))
    for connection in connections:
        connection.close()
    return made / (time.perf_counter() - start)


def make_state(directory: Path) -> tuple[dict[str, str], list[str]]:
    """Create a state with many apps of the largest tier, each with an allow list; return settings and keys."""
    allowed = directory / "list.txt"
    allowed.write_text("127.0.0.0/8\n203.0.113.0/24\n2001:db8::/32\n")
    state = directory / "state"
    settings = {"CHEKT_MCP_STATE": str(state)}
    made = [*OURS, "init", "--app", "bench", "--allow-list", str(allowed)]
    subprocess.run(made, env={**os.environ, **settings}, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return settings, asyncio.run(add_apps(state, allowed.read_text()))


async def add_apps(state: Path, allow_list: str) -> list[str]:
    """Add the apps in one transaction, and return their keys."""
    from chekt_mcp.domain import api_key  # noqa: PLC0415 -- the peers do without ours
    from chekt_mcp.domain.allow_list.version import AllowListVersion  # noqa: PLC0415 -- as above
    from chekt_mcp.domain.api_key import Key, KeyKind, KeyState  # noqa: PLC0415 -- as above
    from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment  # noqa: PLC0415 -- as above
    from chekt_mcp.domain.rate_tier import RateTier  # noqa: PLC0415 -- as above
    from chekt_mcp.domain.scope import SERVER_SCOPES  # noqa: PLC0415 -- as above
    from chekt_mcp.storage.interface import Writer  # noqa: PLC0415 -- as above
    from chekt_mcp.storage.records import SealedKey  # noqa: PLC0415 -- as above
    from chekt_mcp.storage.sqlite import open_storage  # noqa: PLC0415 -- as above
    from chekt_mcp.wiring import system_clock  # noqa: PLC0415 -- as above

    storage, now = open_storage(state), system_clock()
    values = [api_key.mint(KeyKind.API_KEY, Environment.TEST, os.urandom) for _ in range(APPS)]
    (dealer,) = await storage.read(lambda reader: reader.dealers())

    async def work(writer: Writer) -> None:
        for number, value in enumerate(values):
            name, scopes = f"bench-{number}", frozenset(SERVER_SCOPES)
            app = App(dealer.name, name, Environment.TEST, Authority.LOCAL, scopes, ConfirmBy.CLIENT, now)
            await writer.add_app(replace(app, rate=RateTier.ENTERPRISE))
            shown = api_key.fingerprint(value)
            key = Key(f"key_{number}", dealer.name, name, KeyKind.API_KEY, KeyState.CURRENT, shown, now)
            await writer.add_key(SealedKey(key, value_hash=api_key.key_hash(value)))
            await writer.add_allow_list(
                AllowListVersion(
                    dealer.name,
                    name,
                    1,
                    enabled=True,
                    text=allow_list,
                    effective_at=now,
                    set_by="bench",
                    reason="bench",
                )
            )

    await storage.write(work)
    await storage.close()
    return values


def free_ports(count: int) -> list[int]:
    """Return as many ports that are free now, each another one."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[int]:
    """Run a server until the block ends; give its process id."""
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not answer")


@asynccontextmanager
async def servers(directory: Path) -> AsyncIterator[list[Server]]:
    """Run all that can be run: ours, the SDK's, and FastMCP where FASTMCP_PYTHON names an interpreter that has it."""
    settings, keys = await asyncio.to_thread(make_state, directory)
    port, peer, other = free_ports(3)
    ours = [*OURS, "serve", "--http", "--port", str(port)]
    check = {"addresses": ["203.0.113.7"]}
    with (
        running(ours, settings, port) as mine,
        running([sys.executable, str(HERE / "empty_http_server.py"), str(peer)], {}, peer) as theirs,
    ):
        all_of = [
            Server("ours", mine, port, modern(port, "check_ip", check, keys)),
            Server("empty SDK", theirs, peer, modern(peer, "empty", {}, None)),
        ]
        if interpreter := os.environ.get("FASTMCP_PYTHON"):
            command = [interpreter, str(HERE / "empty_fastmcp_server.py"), str(other)]
            with running(command, {}, other) as fastmcp:
                yield [*all_of, Server("empty FastMCP", fastmcp, other, with_session(other))]
        else:
            yield all_of


async def measure(rounds: int) -> None:
    """Run both measurements in alternation, and print medians and the medians of ratios."""
    with tempfile.TemporaryDirectory() as directory:
        async with servers(Path(directory)) as measured:
            for server in measured:
                await sequential(server, CALLS)
            times = [[await sequential(server, CALLS) for server in measured] for _ in range(rounds)]
            report("p50 sequential, ms", measured, [[1000 * one for one in turn] for turn in times], 1.6)
            rates = [[await throughput(server, CLIENTS, SECONDS) for server in measured] for _ in range(rounds)]
            report(f"calls/s, {CLIENTS} clients", measured, rates, 0.6)


async def measure_memory() -> None:
    """Print the server's resident memory after few and after many calls."""
    with tempfile.TemporaryDirectory() as directory:
        async with servers(Path(directory)) as (ours, *_):
            held = []
            for calls in (FEW, MANY - FEW):
                await asyncio.gather(*(sequential(ours, calls // CLIENTS) for _ in range(CLIENTS)))
                held.append(resident(ours.pid))
            growth = held[1] / held[0] - 1
            print(
                f"resident after {FEW:,} calls {held[0]} KiB, after {MANY:,} {held[1]} KiB: {growth:+.1%}, target 10 %"
            )


def resident(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def report(what: str, measured: list[Server], turns: list[list[float]], target: float) -> None:
    """Print one line for each server: its median, and the median of ours against it."""
    for place, server in enumerate(measured):
        median = statistics.median(turn[place] for turn in turns)
        ratio = statistics.median(turn[0] / turn[place] for turn in turns)
        against = f"  ours / it {ratio:.2f}" + (f"  target {target}" if place == 1 else "") if place else ""
        print(f"{what:<24} {server.name:<14} {median:10.3f}{against}")


def main(what: str = str(ROUNDS)) -> None:
    """Run everything."""
    measuring = measure_memory() if what == "memory" else measure(int(what))
    if importlib.util.find_spec("uvloop"):
        import uvloop  # noqa: PLC0415 -- an extra; the client uses it too, so that it is not what is measured

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(measuring)
    else:
        asyncio.run(measuring)


if __name__ == "__main__":
    main(*sys.argv[1:2])
