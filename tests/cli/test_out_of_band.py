"""The whole way round: an assistant asks, a person approves at a terminal, and it happens once."""

from __future__ import annotations

import pytest
from mcp import Client, StdioServerParameters

from terminal_child import PASSPHRASE, PROGRAM, Machine
from world import structured

pytestmark = pytest.mark.anyio


async def test_a_live_app_rotates_its_key_only_after_a_person_approved_at_a_terminal(live: Machine) -> None:
    file = live.secrets / "main" / "shop.api_key"
    old = file.read_text()
    environment = {**live.environment(), "CHEKT_API_KEY_FILE": str(file)}
    server = StdioServerParameters(command=PROGRAM, args=["serve"], env=environment)
    request = {"reason": "scheduled"}
    async with Client(server) as client:
        asked = structured(await client.call_tool("rotate_key", request))
        assert asked["status"] == "approval_required"
        assert file.read_text() == old
        with live.terminal("approve", asked["approval"]["approval_id"]) as person:
            person.expect("  | Rotate the API key of app shop (live).")
            person.answer("Type the app's name", "shop")
            person.answer("Approver passphrase: ", PASSPHRASE)
            person.expect("Approved.")
        rotated = structured(await client.call_tool("rotate_key", request))
        assert rotated["status"] == "rotated"
        new = file.read_text()
        assert new != old
        assert new.strip() not in str(rotated)
        again = structured(
            await client.call_tool("rotate_key", {**request, "approval_id": asked["approval"]["approval_id"]})
        )
        assert again["rotation_id"] == rotated["rotation_id"]
        assert file.read_text() == new
