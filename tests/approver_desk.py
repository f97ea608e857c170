"""A state with a live app, an approver passphrase, and a browser-like client of the pages over it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from chekt_mcp.http.client_of import ClientOf
from chekt_mcp.http.pages.issuer_login import ByIssuer
from chekt_mcp.http.pages.site import approval_pages
from chekt_mcp.http.pages.visitor import PageSettings
from chekt_mcp.http.pages.watch import Watch
from chekt_mcp.http.refusal_log import RefusalLog
from chekt_mcp.http.shared_rates import SharedRates
from chekt_mcp.operations.approver import new_approver
from chekt_mcp.secrets import passphrase
from world import World, structured

PASSPHRASE = "five words nobody would guess"  # noqa: S105 -- made up, and used nowhere else
ORIGIN = "http://127.0.0.1:8787"
SETTINGS = PageSettings("/approvals", frozenset({ORIGIN}), secure=False, client_of=ClientOf())
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


@dataclass
class Browser:
    """Keeps cookies, sends the form token of the page it saw last, and says where its forms come from."""

    http: httpx.AsyncClient
    seen: httpx.Response | None = None

    async def get(self, path: str) -> httpx.Response:
        self.seen = await self.http.get(path)
        return self.seen

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        found = TOKEN.search(self.seen.text if self.seen else "")
        form = {"form_token": found[1] if found else "", **fields}
        self.seen = await self.http.post(path, data=form, headers={"Origin": ORIGIN} if headers is None else headers)
        return self.seen

    async def sign_in(self, typed: str = PASSPHRASE, dealer: str = "acme") -> httpx.Response:
        await self.get("/approvals/sign-in")
        return await self.post("/approvals/sign-in", dealer=dealer, passphrase=typed)


@dataclass
class Desk:
    """The state and its pages."""

    world: World

    @asynccontextmanager
    async def browser(
        self, address: str = "203.0.113.50", settings: PageSettings = SETTINGS, issuer: ByIssuer | None = None
    ) -> AsyncIterator[Browser]:
        attempts = SharedRates(self.world.directory / "rates-addresses")
        refusals = RefusalLog(self.world.services())
        pages = approval_pages(self.world.services(), passphrase, settings, Watch(attempts, refusals), issuer)
        transport = httpx.ASGITransport(pages, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            yield Browser(http)
        await refusals.close()
        attempts.close()

    async def ask(self, entries: str = "198.51.100.0/24 # new office", app: str = "shop") -> str:
        """Have an assistant ask for another list; return the id of the approval."""
        async with self.world.client(self.world.keys["acme", app]) as client:
            asked = await client.call_tool("update_allow_list", {"entries": entries, "reason": "moved"})
        return str(structured(asked)["approval"]["approval_id"])

    async def apply(self, entries: str = "198.51.100.0/24 # new office", app: str = "shop") -> str:
        """Have it ask again with the same arguments; return the status."""
        async with self.world.client(self.world.keys["acme", app]) as client:
            asked = await client.call_tool("update_allow_list", {"entries": entries, "reason": "moved"})
        return str(structured(asked)["status"])


async def set_passphrase(world: World, dealer: str, typed: str = PASSPHRASE) -> None:
    approver = new_approver(world.services(), passphrase, dealer, typed)
    await world.storage.write(lambda writer: writer.set_approver(approver))
