"""The webhook receiver beside the MCP endpoint."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx

from serving_child import Installation

DELIVERY = {"id": "evt_2hKqx9", "type": "alarm.created", "created_at": "2026-07-01T12:00:00Z", "data": {}}


def test_a_delivery_is_taken_in_and_handed_on_while_calls_are_served(
    installation: Installation, tmp_path: Path
) -> None:
    events = tmp_path / "events"
    taking = f"{sys.executable} -c \"import sys; open('{events}', 'a').write(sys.stdin.read() + chr(10))\""
    with installation.serving("--receive", "shop", "--to-command", taking) as child:
        base = child.url.removesuffix("/mcp")
        sent = Installation.command(
            installation.state, "webhook", "send", "--app", "shop", "--local", f"{base}/webhooks/shop"
        )
        assert "200" in sent
        with httpx.Client(trust_env=False) as http:
            assert http.post(f"{base}/webhooks/shop", json=DELIVERY).status_code == 401
            assert http.post(f"{base}/webhooks/other", json=DELIVERY).status_code == 401

        async def call() -> None:
            async with child.client(installation.key) as client:
                assert (await client.list_tools()).tools

        asyncio.run(call())
        assert child.end() == 0
    assert json.loads(events.read_text().splitlines()[0])["type"] == "alarm.created"


def test_a_receiver_without_a_place_for_its_events_is_refused(installation: Installation) -> None:
    assert "receive_incomplete" in installation.refused("--receive", "shop")
