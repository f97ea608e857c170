"""Receivers as developers run them, as child processes on loopback: our example under uvicorn, and one in Node."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"

UVICORN = """
import os, socket, sys
import uvicorn
sys.path.insert(0, sys.argv[1])
import webhook_receiver
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
app = webhook_receiver.build_app(webhook_receiver.Inbox("inbox.sqlite3"), os.environ["CHEKT_WEBHOOK_SECRET"])
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run([listener])
"""

NODE = """
const crypto = require("crypto");
const http = require("http");
const { CHEKT_WEBHOOK_SECRET: secret, REWRITES: rewrites } = process.env;
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const raw = Buffer.concat(pieces);
    const body = rewrites ? Buffer.from(JSON.stringify(JSON.parse(raw))) : raw;
    const expected = crypto.createHmac("sha256", secret)
      .update(`${request.headers["x-chekt-timestamp"]}.`).update(body).digest();
    const given = Buffer.from(request.headers["x-chekt-signature"] ?? "", "hex");
    const genuine = given.length === expected.length && crypto.timingSafeEqual(given, expected);
    response.writeHead(genuine ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ genuine, attempt: request.headers["x-chekt-attempt"] }));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


@contextmanager
def uvicorn_receiver(secret: str, folder: Path) -> Iterator[str]:
    """Run `examples/webhook_receiver.py`; give its URL."""
    with _running([sys.executable, "-c", UVICORN, str(EXAMPLES)], {"CHEKT_WEBHOOK_SECRET": secret}, folder) as port:
        yield f"http://127.0.0.1:{port}/webhooks/chekt"


@contextmanager
def node_receiver(node: str, secret: str, folder: Path, *, rewrites: bool = False) -> Iterator[str]:
    """Run a Node receiver; with `rewrites` it makes the mistake of signing what it parsed and wrote anew."""
    variables = {"CHEKT_WEBHOOK_SECRET": secret} | ({"REWRITES": "1"} if rewrites else {})
    with _running([node, "-e", NODE], variables, folder) as port:
        yield f"http://localhost:{port}/chekt"


@contextmanager
def _running(command: Sequence[str], variables: dict[str, str], folder: Path) -> Iterator[int]:
    """Run a receiver that prints its port as soon as it listens."""
    with subprocess.Popen(command, env={**os.environ, **variables}, cwd=folder, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()
