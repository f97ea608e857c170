"""A lost new key is shown once, to an approver who typed the app's name, and is in nothing that stays."""

from __future__ import annotations

from datetime import datetime

import pytest

from approver_desk import Browser, Desk
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from world import structured

pytestmark = pytest.mark.anyio


def use_of(key_id: str, at: datetime) -> NewEntry:
    return NewEntry(
        "acme", at, "app:shop", Kind.API_CALL, "GET /v1/sites", Result.OK, "req_use", app="shop", key_id=key_id
    )


async def rotated(desk: Desk, browser: Browser) -> str:
    """Rotate the key with an approver's yes; return the id of the rotation."""
    asking = {"reason": "scheduled"}
    async with desk.world.client(desk.world.keys["acme", "shop"]) as client:
        approval = structured(await client.call_tool("rotate_key", asking))["approval"]["approval_id"]
        await browser.sign_in()
        await browser.get(f"/approvals/{approval}")
        await browser.post(f"/approvals/{approval}/approve", answer_app="shop")
        return str(structured(await client.call_tool("rotate_key", asking))["rotation_id"])


async def test_a_new_key_is_shown_once(desk: Desk) -> None:
    async with desk.browser() as browser:
        rotation = await rotated(desk, browser)
        listed = await browser.get("/approvals")
        await browser.get(f"/approvals/keys/{rotation}")
        shown = await browser.post(f"/approvals/keys/{rotation}", app="shop")
        again = await browser.post(f"/approvals/keys/{rotation}", app="shop")
        after = await browser.get("/approvals")

    delivered = [file.read_text() for file in (desk.world.directory / "secrets").rglob("*") if file.is_file()]
    assert rotation in listed.text
    assert any(value.strip() and value.strip() in shown.text for value in delivered)
    assert shown.headers["cache-control"] == "no-store"
    assert (again.status_code, "No copy of that key" in again.text) == (410, True)
    assert rotation not in after.text
    assert len(await desk.world.entries(action="key.reveal")) == 1


@pytest.mark.parametrize("typed", ["", "Shop", "shop "])
async def test_without_the_apps_name_nothing_is_shown(desk: Desk, typed: str) -> None:
    async with desk.browser() as browser:
        rotation = await rotated(desk, browser)
        await browser.get(f"/approvals/keys/{rotation}")
        refused = await browser.post(f"/approvals/keys/{rotation}", app=typed)

    assert refused.status_code == 403
    assert "Nothing was shown" in refused.text
    assert "chekt_live_" not in refused.text


async def test_a_key_that_was_used_is_not_shown(desk: Desk) -> None:
    async with desk.browser() as browser:
        rotation = await rotated(desk, browser)
        keys = await desk.world.storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.API_KEY))
        await desk.world.log(use_of(keys[0].key.key_id, desk.world.clock()))
        await browser.get("/approvals")
        refused = await browser.post(f"/approvals/keys/{rotation}", app="shop")

    assert refused.status_code == 410
