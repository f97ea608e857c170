"""The server as a client starts it: a child process over stdio, set up by the commands a person types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from calls import MINIMAL
from chekt_mcp.tools.catalog import CATALOG
from world import MODES, Era, Person, refusal, structured, words

pytestmark = pytest.mark.anyio

COMMAND = str(Path(sys.executable).parent / "chekt-mcp")


@dataclass
class Installation:
    """A state made by `chekt-mcp init`, and how a client is told to start the server on it."""

    state: Path

    def run(self, *arguments: str, standard_input: str = "") -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHEKT")}
        return subprocess.run(
            [COMMAND, "--state", str(self.state), *arguments],
            input=standard_input,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def key_file(self, app: str) -> Path:
        return self.state / "secrets" / "main" / f"{app}.api_key"

    def parameters(self, app: str | None, **more: str) -> StdioServerParameters:
        environment = {"PATH": os.environ["PATH"], "CHEKT_MCP_STATE": str(self.state), **more}
        if app is not None:
            environment["CHEKT_API_KEY_FILE"] = str(self.key_file(app))
        return StdioServerParameters(command=COMMAND, args=["serve"], env=environment)

    @asynccontextmanager
    async def client(self, app: str | None, era: Era, person: Any = None, **more: str) -> AsyncIterator[Client]:
        with anyio.fail_after(60):
            async with Client(self.parameters(app, **more), mode=MODES[era], elicitation_callback=person) as client:
                yield client


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("installation") / "state")
    for arguments in (("init", "--app", "shop"), ("app", "add", "desk", "--scopes", "allowlist:read")):
        done = made.run(*arguments)
        assert done.returncode == 0, done.stderr
    return made


async def test_every_tool_answers_over_stdio(installed: Installation, era: Era) -> None:
    async with installed.client("shop", era) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        answers = {name: await client.call_tool(name, arguments) for name, arguments in MINIMAL.items()}
    assert listed == list(CATALOG)
    for answer in answers.values():
        assert structured(answer)
        assert words(answer)


async def test_a_missing_scope_is_refused_over_stdio(installed: Installation, era: Era) -> None:
    async with installed.client("desk", era) as client:
        assert "keys:write" in refusal(await client.call_tool("rotate_key", {"reason": "scheduled"}))


async def test_without_a_key_the_server_starts_and_says_what_to_do(installed: Installation, era: Era) -> None:
    async with installed.client(None, era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["whoami"]
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "no_key"


async def test_with_a_bad_setting_the_server_starts_and_says_which_it_is(installed: Installation, era: Era) -> None:
    async with installed.client("shop", era, CHEKT_MCP_GRACE_HOURS="forever") as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["whoami"]
        answer = await client.call_tool("whoami", {})
        denied = refusal(await client.call_tool("check_ip", {"addresses": ["203.0.113.7"]}))
    problem = structured(answer)["problem"]
    assert problem["code"] == "bad_setting"
    assert problem["message"] == "CHEKT_MCP_GRACE_HOURS must be a whole number from 1 to 720."
    assert problem["fix"]
    assert denied.startswith("bad_setting")
    assert "forever" not in words(answer) + denied


async def test_a_key_in_the_environment_works_too(installed: Installation, era: Era) -> None:
    key = installed.key_file("desk").read_text().strip()
    async with installed.client(None, era, CHEKT_API_KEY=key) as client:
        assert structured(await client.call_tool("whoami", {}))["principal"] == "app:desk"


async def test_a_folder_that_holds_no_state_is_said_to_hold_none(tmp_path: Path, era: Era) -> None:
    nothing = Installation(tmp_path / "nothing")
    async with nothing.client(None, era) as client:
        problem = structured(await client.call_tool("whoami", {}))["problem"]
    assert problem["fix"]
    assert not (tmp_path / "nothing").exists()


async def test_a_rotation_is_confirmed_delivered_and_the_session_goes_on(tmp_path: Path, era: Era) -> None:
    made = Installation(tmp_path / "state")
    assert made.run("init", "--app", "shop").returncode == 0
    old = made.key_file("shop").read_text()
    async with made.client("shop", era, Person(typed={"app": "shop"})) as client:
        result = await client.call_tool("rotate_key", {"reason": "scheduled"})
        status = structured(await client.call_tool("get_key_status", {}))
    new = made.key_file("shop").read_text()
    assert structured(result)["status"] == "rotated"
    assert new != old
    assert new.strip() not in repr(result)
    assert status["used_by_this_session"]
    assert status["current"]["key_id"] == structured(result)["key_id"]


async def test_two_servers_on_one_state_share_approvals_log_and_keys(tmp_path: Path) -> None:
    made = Installation(tmp_path / "state")
    assert made.run("init", "--app", "shop").returncode == 0
    async with made.client("shop", "modern") as first, made.client("shop", "legacy") as second:
        asked = structured(await first.call_tool("rotate_key", {"reason": "scheduled"}))
        again = structured(await second.call_tool("rotate_key", {"reason": "scheduled"}))
        assert asked["approval"]["approval_id"] == again["approval"]["approval_id"]
        found = structured(await second.call_tool("search_audit_log", {"action": "rotate_key"}))
    assert len(found["entries"]) == 2


async def test_an_older_assistants_window_sees_a_new_list_at_its_next_call(tmp_path: Path) -> None:
    made = Installation(tmp_path / "state")
    assert made.run("init", "--app", "shop").returncode == 0
    check = {"addresses": ["203.0.113.7"]}
    async with (
        made.client("shop", "modern", Person(typed={"app": "shop"})) as first,
        made.client("shop", "modern") as second,
    ):
        before = structured(await second.call_tool("check_ip", check))
        change = {"entries": "198.51.100.0/24", "reason": "x"}
        assert structured(await first.call_tool("update_allow_list", change))["status"] == "applied"
        after = structured(await second.call_tool("check_ip", check))
    assert (before["counts"], after["counts"]) == ({"no_allow_list": 1}, {"denied": 1})


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        "{}",
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "check_ip", "arguments": ["KEY"]}}',
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": ["KEY"]}}',
        '{"jsonrpc": "2.0", "id": 1, "method": "no/such", "params": {"KEY": 1}}',
        '{"jsonrpc": "1.0", "id": "KEY"}',
        "\x00\x01\x02",
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ' + "[" * 2000 + "]" * 2000 + "}",
    ],
    ids=range(9),
)
def test_malformed_messages_do_not_stop_the_server_and_are_not_echoed(installed: Installation, line: str) -> None:
    planted = "chekt_test_" + "EXAMPLE0" * 4 + "abcdef"
    answers, rest = exchanged(installed, line.replace("KEY", planted))
    assert answers[-1]["result"]["tools"]
    assert "EXAMPLE0" not in json.dumps(answers) + rest
    assert "Traceback" not in json.dumps(answers) + rest


@pytest.mark.parametrize(
    ("argument", "known"), [('"cut: \\ud83d"', True), ("9" * 5000, False), ("[" * 2000 + "]" * 2000, False)]
)
def test_a_message_that_cannot_be_read_is_answered_at_once(
    installed: Installation, argument: str, *, known: bool
) -> None:
    call = '{"method": "tools/call", "params": {"name": "check_ip", "arguments": {"id": 9, "addresses": ARGUMENT}}'
    answers, _ = exchanged(installed, call.replace("ARGUMENT", argument) + ', "jsonrpc": "2.0", "id": 7}')
    [answer] = [one for one in answers if "error" in one]
    assert (answer["id"], answer["error"]["code"]) == (7 if known else None, -32700)
    assert answer["error"]["message"].startswith("unreadable_message: ")


def exchanged(installed: Installation, line: str) -> tuple[list[dict[str, Any]], str]:
    """Send a line between two good messages; return every answer up to the last's, and what else was printed."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    messages = [
        json.dumps({"jsonrpc": "2.0", "id": 100, "method": "initialize", "params": hello}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        line,
        json.dumps({"jsonrpc": "2.0", "id": 101, "method": "tools/list", "params": {}}),
    ]
    parameters = installed.parameters("shop")
    process = subprocess.Popen(
        [parameters.command, *parameters.args],
        env=parameters.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(messages) + "\n")
    process.stdin.flush()
    answers: list[dict[str, Any]] = []
    while not answers or answers[-1].get("id") != 101:
        answers.append(json.loads(process.stdout.readline()))
    rest, errors = process.communicate(timeout=30)
    return answers, rest + errors
