"""Other people's clients drive every tool: the TypeScript SDK's and the MCP Inspector's, over stdio and HTTP."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from calls import MINIMAL
from chekt_mcp.tools.catalog import CATALOG
from clients.node import INSPECTOR, TYPESCRIPT, TYPESCRIPT_CLIENT, installed, run_node
from serving_child import COMMAND, Child, Installation
from world import Era

EVERY_TOOL = list(CATALOG)
SECRET = {"kind": "signing_secret"}  # not the key that this client itself presents
CALLS: Mapping[str, dict[str, Any]] = {
    **MINIMAL,
    "verify_webhook": {"headers": {}, "body": "no JSON, which the Inspector would send as what it is"},
    "update_allow_list": {"entries": "127.0.0.1, 203.0.113.0/24, 198.51.100.7", "reason": "test"},
    "rotate_key": {"reason": "scheduled", **SECRET},
    "revoke_previous_key": SECRET,
}
REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "check_ip": ({"addresses": []}, "too_short (addresses): "),
    "rotate_key": ({"reason": "scheduled", "confirm": True}, "unknown_argument (confirm): "),
    "search_audit_log": ({"app": "nobody"}, "unknown_app (app): "),
}
VERSIONS = {"modern": "2026-07-28", "legacy": "2025-11-25"}
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Reach:
    """How a client reaches the server: over HTTP, or by starting it."""

    installation: Installation
    child: Child | None

    @property
    def environment(self) -> dict[str, str]:
        (key_file,) = self.installation.state.rglob("*.api_key")
        return {"PATH": os.environ["PATH"], "HOME": str(self.installation.state), "CHEKT_API_KEY_FILE": str(key_file)}

    @property
    def serve(self) -> list[str]:
        return [*COMMAND, "--state", str(self.installation.state), "serve"]

    def for_typescript(self) -> dict[str, Any]:
        if self.child is not None:
            return {"url": self.child.url, "key": self.installation.key}
        return {"command": self.serve[0], "args": self.serve[1:], "env": self.environment}

    def for_inspector(self) -> list[str]:
        if self.child is not None:
            bearer = f"Authorization: Bearer {self.installation.key}"
            return ["--transport", "http", "--server-url", self.child.url, "--header", bearer]
        given = [word for name, value in self.environment.items() for word in ("-e", f"{name}={value}")]
        return [*given, "--transport", "stdio", "--", *self.serve]


@pytest.fixture(params=["http", "stdio"])
def reach(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reach]:
    installation = Installation.made(tmp_path)
    if request.param == "stdio":
        yield Reach(installation, None)
        return
    with installation.serving() as child:
        yield Reach(installation, child)


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_the_typescript_client_drives_every_tool_and_reads_every_refusal(reach: Reach, era: Era) -> None:
    calls = [[name, CALLS[name]] for name in EVERY_TOOL] + [[name, given] for name, (given, _) in REFUSED.items()]
    asked = {"sdk": str(TYPESCRIPT), "era": era, "app": "shop", "calls": calls, **reach.for_typescript()}
    installed(TYPESCRIPT)

    done = asyncio.run(run_node(TYPESCRIPT_CLIENT, json.dumps(asked)))

    assert done.code == 0, done.err
    seen = json.loads(done.out)
    assert (seen["version"], seen["tools"]) == (VERSIONS[era], EVERY_TOOL)
    answered, refused = seen["answers"][: len(EVERY_TOOL)], seen["answers"][len(EVERY_TOOL) :]
    assert [one for one in answered if one.get("isError", True)] == []
    assert all(one["structured"] for one in answered if one["name"] != "export_audit_log")
    assert [(one["isError"], one["structured"]) for one in refused] == [(True, None)] * len(REFUSED)
    for one, (_, begins) in zip(refused, REFUSED.values(), strict=True):
        assert one["text"].startswith(begins)
    assert seen["questions"] == 3


def test_the_inspector_drives_every_tool_and_reads_every_refusal(reach: Reach) -> None:
    listed, answers, refusals = asyncio.run(inspected(reach))

    assert [tool["name"] for tool in listed["tools"]] == EVERY_TOOL
    assert [name for name, answer in answers.items() if answer.get("isError")] == []
    for name, (_, begins) in REFUSED.items():
        assert refusals[name]["isError"]
        assert refusals[name]["content"][0]["text"].startswith(begins)


async def inspected(reach: Reach) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """List the tools, call each, and call some wrongly: each by a run of the program, a few at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(*words: str) -> Any:
        async with places:
            done = await run_node(INSPECTOR, "--cli", *words, *reach.for_inspector())
        assert done.out, done.err
        return json.loads(done.out)

    async def called(name: str, arguments: Mapping[str, Any]) -> tuple[str, Any]:
        pairs = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in arguments.items()]
        given = ["--tool-arg", *pairs] if pairs else []
        return name, await one("--method", "tools/call", "--tool-name", name, *given)

    listed = await one("--method", "tools/list")
    answers = dict(await asyncio.gather(*(called(name, CALLS[name]) for name in EVERY_TOOL)))
    refusals = dict(await asyncio.gather(*(called(name, given) for name, (given, _) in REFUSED.items())))
    return listed, answers, refusals
