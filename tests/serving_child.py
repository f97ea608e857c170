"""An installation made by `chekt-mcp init`, and `chekt-mcp serve --http` on it as a child process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client

from world import MODES, Era

COMMAND = [sys.executable, "-c", "import sys; from chekt_mcp.cli.main import main; sys.exit(main())"]
SERVING = re.compile(rb"Serving MCP at (\S+?)\. ")


@dataclass(frozen=True, slots=True)
class Child:
    """A server that runs, and where."""

    process: subprocess.Popen[bytes]
    url: str

    @asynccontextmanager
    async def client(
        self, key: str, era: Era = "modern", *, person: ElicitationFnT | None = None
    ) -> AsyncIterator[Client]:
        """Connect a real client with a key; each request takes a connection of its own."""
        headers, limits = {"Authorization": f"Bearer {key}"}, httpx2.Limits(max_keepalive_connections=0)
        async with httpx2.AsyncClient(headers=headers, limits=limits, timeout=30, trust_env=False) as http:
            transport = streamable_http_client(self.url, http_client=http)
            async with Client(transport, mode=MODES[era], elicitation_callback=person) as client:
                yield client

    def end(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@dataclass(frozen=True, slots=True)
class Installation:
    """A state directory with one test app and its key."""

    state: Path
    key: str

    @classmethod
    def made(cls, directory: Path) -> Installation:
        allowed = directory / "list.txt"
        allowed.write_text("127.0.0.1\n203.0.113.0/24\n")
        state = directory / "state"
        cls.command(state, "init", "--app", "shop", "--allow-list", str(allowed))
        cls.command(state, "app", "http", "shop", "--rate", "enterprise")
        (key_file,) = state.rglob("*.api_key")
        return cls(state, key_file.read_text().strip())

    @staticmethod
    def command(state: Path, *words: str) -> str:
        run = subprocess.run(
            [*COMMAND, "--state", str(state), *words], check=True, stdin=subprocess.DEVNULL, capture_output=True
        )
        return run.stdout.decode()

    @contextmanager
    def serving(self, *options: str, **environment: str) -> Iterator[Child]:
        """Serve on a free port until the block ends."""
        port = [] if "--port" in options else ["--port", "0"]
        process = subprocess.Popen(
            [*COMMAND, "--state", str(self.state), "serve", "--http", *port, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        try:
            yield Child(process, _url(process))
        finally:
            process.terminate()
            process.wait(60)
            assert process.stderr
            process.stderr.close()

    def refused(self, *options: str) -> str:
        """Try to serve, and return what was said instead."""
        run = subprocess.run(
            [*COMMAND, "--state", str(self.state), "serve", "--http", "--port", "0", *options],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        assert run.returncode != 0
        return run.stderr.decode()


def _url(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr
    said = b""
    while line := process.stderr.readline():
        said += line
        if found := SERVING.search(line):
            return found[1].decode()
    raise AssertionError(said.decode())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def structured_content(result: Any) -> dict[str, Any]:
    assert not result.is_error, result
    content: dict[str, Any] = result.structured_content
    return content
