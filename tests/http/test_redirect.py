"""The plain port leads to the public name, whatever a request names."""

from __future__ import annotations

import asyncio

import pytest

from chekt_mcp.http.redirect import Redirect
from chekt_mcp.serving.fast_protocol import PatientHttpTools
from chekt_mcp.serving.patience import PatientH11
from http_server import exchanged, serving
from world import World

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("protocol", [PatientHttpTools, PatientH11])
@pytest.mark.parametrize("target", ["@evil.test/", "http://evil.test/", "%2f@evil.test/", ".evil.test", "*"])
async def test_a_target_that_is_no_path_leads_nowhere(
    world: World, protocol: type[asyncio.Protocol], target: str
) -> None:
    async with serving(Redirect(world.services(), "https://mcp.example.com/mcp"), protocol) as url:
        answer = await exchanged(url, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert b"location" not in answer.lower()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
