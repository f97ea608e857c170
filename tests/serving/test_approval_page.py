"""A client that opens addresses is given the approval's page, in both eras; that it opened it decides nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from mcp_types import ElicitRequestParams, ElicitRequestURLParams, ElicitResult

from approver_desk import PASSPHRASE, TOKEN, set_passphrase
from http_site import Served, serving
from world import Era, World, structured, words

pytestmark = pytest.mark.anyio

ASKED = {"entries": "127.0.0.1, 198.51.100.0/24", "reason": "moved"}


class Opens:
    """A person whose client opens addresses; `action` is what it reports."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.asked: list[ElicitRequestURLParams] = []

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG002 -- the SDK's form
        assert isinstance(params, ElicitRequestURLParams)
        self.asked.append(params)
        return ElicitResult(action=self.action)  # type: ignore[arg-type]  # one of the three


@pytest.fixture
async def shop(world: World) -> World:
    await world.add_app("shop", env="live", allow_list="127.0.0.1")
    await set_passphrase(world, "acme")
    return world


async def approve(served: Served, page: str) -> int:
    """Sign in as an approver and say yes on this page."""
    origin = {"Origin": served.base}
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        asked = await browser.get(page)
        form = {"form_token": TOKEN.findall(asked.text)[-1], "dealer": "acme", "passphrase": PASSPHRASE}
        back = page.removeprefix(served.base)
        shown = await browser.post(f"{served.base}/approvals/sign-in", data={**form, "back": back}, headers=origin)
        yes = {"form_token": TOKEN.findall(shown.text)[-1], "answer_app": "shop"}
        return (await browser.post(f"{page}/approve", data=yes, headers=origin)).status_code


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_opening_the_page_decides_nothing_and_the_yes_on_it_does(shop: World, era: Era, action: str) -> None:
    person = Opens(action)
    async with serving(shop) as served, served.client(shop.keys["acme", "shop"], era, person=person) as client:
        waiting = await client.call_tool("update_allow_list", ASKED)
        page = f"{served.base}/approvals/{structured(waiting)['approval']['approval_id']}"
        assert structured(waiting)["status"] == "approval_required"
        assert page in words(waiting)
        assert await approve(served, page) == 200
        done = await client.call_tool("update_allow_list", ASKED)

    assert [one.url for one in person.asked] == [page]
    assert structured(done)["status"] == "applied"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_whoever_names_the_approval_is_not_sent_to_its_page_again(shop: World, era: Era) -> None:
    person = Opens("accept")
    async with serving(shop) as served, served.client(shop.keys["acme", "shop"], era, person=person) as client:
        waiting = structured(await client.call_tool("update_allow_list", ASKED))
        known = {**ASKED, "approval_id": waiting["approval"]["approval_id"]}
        again = structured(await client.call_tool("update_allow_list", known))

    assert again["status"] == "approval_required"
    assert len(person.asked) == 1
