"""The webhook receiver beside the MCP endpoint."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx

from serving_child import Installation, free_port

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


def test_a_delivery_that_comes_past_our_proxies_is_not_taken_in(installation: Installation) -> None:
    proxied = ["--behind-proxy", "127.0.0.1", "--public-url", "https://mcp.example.com/mcp", "--port", str(free_port())]
    with installation.serving("--receive", "shop", "--to-command", "true", *proxied):
        address = f"http://127.0.0.1:{proxied[-1]}/webhooks/shop"
        with httpx.Client(trust_env=False) as http:
            past = http.post(address, json=DELIVERY)
            told = http.post(address, json=DELIVERY, headers={"X-Forwarded-For": "203.0.113.5"})
        assert (past.status_code, past.json()["error"]["code"]) == (400, "client_address_unknown")
        assert told.status_code == 401
