"""An approval that another call used between our look and our turn: asked again, its kept outcome is the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chekt_mcp.domain.approval import ApprovalState, Refusal
from chekt_mcp.operations import approvals
from world import World, structured

pytestmark = pytest.mark.anyio


async def test_an_approval_used_meanwhile_is_in_progress_and_not_expired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.add_app("shop", env="live", allow_list="203.0.113.0/24")
    real = approvals.find_or_create

    async def used_meanwhile(*given: Any) -> Any:
        return replace(await real(*given), state=ApprovalState.USED)

    monkeypatch.setattr(approvals, "find_or_create", used_meanwhile)
    async with world.client(key) as client:
        answer = structured(await client.call_tool("update_allow_list", {"entries": "192.0.2.1", "reason": "x"}))
        listed = structured(await client.call_tool("get_allow_list", {}))
    assert (answer["status"], answer["code"]) == ("refused", Refusal.IN_PROGRESS)
    assert listed["version"] == 1
