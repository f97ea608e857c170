"""A webhook receiver to copy: it verifies each delivery, keeps it on disk, answers at once, and works afterwards.

Run it (Python 3.11 or later):

    pip install chekt-mcp                       # brings starlette and uvicorn
    export CHEKT_WEBHOOK_SECRET=chekt_whsec_test_...   # dealer portal: the app, Security
    python webhook_receiver.py                  # http://127.0.0.1:8000/webhooks/chekt

Put a TLS proxy before it, for CHeKT delivers to https only, and let that proxy leave the body and the X-CHeKT-...
headers alone. During a rotation set CHEKT_WEBHOOK_SECRET_PREVIOUS to the old secret for its last 24 hours.

Try it from another terminal, with the same CHEKT_WEBHOOK_SECRET:

    python webhook_receiver.py --try            # signs a sample event and posts it twice: accepted, then duplicate

What it holds to:
- Nothing that does not verify reaches `receive`: not signed, signed otherwise, older than 300 s.
- 2xx is answered only once the event is on disk. A crash before that gets the platform's retry (for 24 h), so that
  none is lost.
- The same event never enters twice, across restarts and processes: the database holds the signed body's digest and
  the event id to be unique. The id headers are not signed, so they play no part in it.
- Work happens after the answer, and is tried again after an error or a crash. Make `handle` safe to repeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chekt_mcp import webhook

PATH = "/webhooks/chekt"
KEEP_SECONDS = 72 * 3600  # retries come for 24 h; forgetting earlier would let one in again
SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    digest BLOB PRIMARY KEY, event_id TEXT UNIQUE, body BLOB NOT NULL, received_at REAL NOT NULL, done_at REAL
)
"""


class Inbox:
    """The events received, on disk. `seen` and `store` speak of what the signature covers."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)  # every statement commits itself
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")  # on disk when `store` returns, not soon after
        self._database.execute(SCHEMA)

    def seen(self, verification: webhook.Verification) -> bool:
        """Whether this delivery, or its event in another delivery, is here already."""
        query = "SELECT 1 FROM inbox WHERE digest = ? OR event_id = ?"
        return self._database.execute(query, (verification.body_digest, verification.event_id)).fetchone() is not None

    def store(self, verification: webhook.Verification) -> None:
        """Keep the event; one that another process has just stored stays as it is."""
        row = (verification.body_digest, verification.event_id, verification.body, time.time())
        self._database.execute("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?, NULL)", row)

    def waiting(self) -> list[tuple[bytes, bytes]]:
        """Return (digest, body) of the events not handled yet, oldest first."""
        query = "SELECT digest, body FROM inbox WHERE done_at IS NULL ORDER BY received_at LIMIT 100"
        return self._database.execute(query).fetchall()

    def done(self, digest: bytes) -> None:
        """Mark an event as handled, and drop those handled long ago."""
        now = time.time()
        self._database.execute("UPDATE inbox SET done_at = ? WHERE digest = ?", (now, digest))
        self._database.execute("DELETE FROM inbox WHERE done_at < ?", (now - KEEP_SECONDS,))

    def close(self) -> None:
        """Close the database."""
        self._database.close()


async def handle(event: dict[str, Any]) -> None:
    """Do your work here. It runs again if it raises or the process dies before it returns."""
    print(f"{event.get('type')} {event.get('id')}")


async def work(inbox: Inbox) -> None:
    """Hand the waiting events to `handle`, for as long as the server runs."""
    while True:
        for digest, body in inbox.waiting():
            try:
                await handle(json.loads(body))
            except Exception as error:  # noqa: BLE001  whatever it is, the event stays and is tried again
                print(f"will try again: {type(error).__name__}", file=sys.stderr)
                continue
            inbox.done(digest)
        await asyncio.sleep(1)


def report(verification: webhook.Verification) -> None:
    """Log why a delivery was refused. Neither body nor signature belongs in a log."""
    print(f"refused: {verification.verdict} ({verification.cause}) {verification.explanation}", file=sys.stderr)


def build_app(inbox: Inbox, *secrets: str | None) -> Starlette:
    """Return the application: one route, and around it the check that nothing passes unverified."""

    async def receive(request: Request) -> JSONResponse:
        inbox.store(request.scope["chekt_webhook"])
        return JSONResponse({"received": True})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        worker = asyncio.create_task(work(inbox))
        yield
        worker.cancel()
        inbox.close()

    signed = Middleware(webhook.SignedWebhookMiddleware, secret=secrets, seen=inbox.seen, refused=report)
    return Starlette(routes=[Route(PATH, receive, methods=["POST"], middleware=[signed])], lifespan=lifespan)


def try_it(url: str, secret: str) -> None:
    """Sign a sample event as the platform does and post it twice."""
    now = int(time.time())
    body = json.dumps({"id": f"evt_try{now}", "type": "alarm.created", "created_at": "", "data": {}}).encode()
    headers = {"X-CHeKT-Signature": webhook.sign(secret, now, body), "X-CHeKT-Timestamp": str(now)}
    for _ in range(2):
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:  # noqa: S310  our own address
            print(answer.status, answer.read().decode())


def main() -> None:
    """Serve on 127.0.0.1:8000, or with `--try` post a sample there."""
    secret = os.environ.get("CHEKT_WEBHOOK_SECRET", "")
    if "--try" in sys.argv:
        try_it(f"http://127.0.0.1:8000{PATH}", secret)
        return
    app = build_app(Inbox("inbox.sqlite3"), secret, os.environ.get("CHEKT_WEBHOOK_SECRET_PREVIOUS"))
    uvicorn.run(app, host="127.0.0.1", port=8000)


if __name__ == "__main__":
    main()
