"""A whole session through the real server and the real commands: no key is anywhere but in its sinks.

Everything that was printed, answered, logged or stored is searched for every value that was ever in force, in clear
and in the usual encodings, and what is text also for anything that has the shape of a credential.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult

from chekt_mcp.domain.exposure import contains_credential
from terminal_child import PASSPHRASE, PROGRAM, Machine
from world import MODES, Era, Person, structured

PLATFORM_KEY = "chekt_test_EXAMPLEexample0000000000000000AAAA"
NEXT_KEY = "chekt_test_EXAMPLEexample0000000000000000BBBB"
PLATFORM_SECRET = "chekt_whsec_test_EXAMPLEexample0000000000000000CCCC"  # noqa: S105 -- an example
POISON: list[tuple[str, dict[str, Any]]] = [
    ("whoami", {"note": PLATFORM_KEY}),
    ("check_ip", {"addresses": [PLATFORM_KEY]}),
    ("check_ip", {"addresses": [base64.b64encode(PLATFORM_KEY.encode()).decode()]}),
    ("search_audit_log", {"text": PLATFORM_KEY.encode().hex()}),
    ("update_allow_list", {"entries": f"203.0.113.7 # {PLATFORM_SECRET}", "reason": "x"}),
    ("rotate_key", {"reason": PLATFORM_KEY}),
    (PLATFORM_KEY, {}),
]
"""Calls that hold a credential where one was never asked for."""


class Session:
    """One installation, everything it printed and answered, and every value that it must not have."""

    def __init__(self, home: Path) -> None:
        self.machine = Machine(home)
        self.printed: list[str] = []
        self.values = {PLATFORM_KEY, NEXT_KEY, PLATFORM_SECRET, PASSPHRASE}
        self.server_log = home / "server.log"

    def run(self, *arguments: str, typed: str = "") -> None:
        done = self.machine.run(*arguments, typed=typed)
        self.printed += [done.out, done.err]
        self.note_values()

    def note_values(self) -> None:
        """Remember what the sinks hold now."""
        for file in self.machine.secrets.rglob("*.*"):
            self.values.add(file.read_text().strip())

    def server(self, app: str, era: Era, person: Any) -> Client:
        environment = {
            **self.machine.environment(),
            "CHEKT_API_KEY_FILE": str(self.machine.secrets / "main" / f"{app}.api_key"),
            "CHEKT_MCP_DEBUG": "1",
        }
        arguments = ["-c", 'exec "$0" serve 2>>"$1"', PROGRAM, str(self.server_log)]
        started = StdioServerParameters(command="sh", args=arguments, env=environment)
        return Client(started, mode=MODES[era], elicitation_callback=person)

    def remember(self, result: CallToolResult) -> None:
        self.printed.append(result.model_dump_json())

    def stored(self) -> Iterator[tuple[str, bytes]]:
        """Yield every file of the state but the sinks' own and the key-encryption key."""
        for file in sorted(self.machine.state.rglob("*")):
            inside = file.relative_to(self.machine.state)
            if file.is_file() and inside.parts[0] != "secrets" and inside.name != "kek":
                yield str(inside), file.read_bytes()


async def a_session(session: Session, era: Era) -> None:
    """Set up, adopt, expose, rotate, revoke, fail, import, decide, identify: everything that touches a key."""
    person = Person(typed={"app": "shop"})
    session.run("init", "--app", "shop")
    session.run("app", "add", "nightly", "--covers", "shop")
    session.run("app", "confirm", "shop", "--unattended", "nightly")
    session.run(
        "app", "adopt", "portal", "--key-stdin", "--signing-secret-stdin", typed=f"{PLATFORM_KEY}\n{PLATFORM_SECRET}\n"
    )
    with anyio.fail_after(120):
        async with session.server("shop", era, person) as client:
            for name, arguments in POISON:
                session.remember(await client.call_tool(name, arguments))
            for kind in ("api_key", "signing_secret"):
                rotated = await client.call_tool("rotate_key", {"reason": "team_change", "kind": kind})
                assert structured(rotated)["status"] == "rotated"
                session.remember(rotated)
                session.note_values()
            session.remember(await client.call_tool("revoke_previous_key", {}))
            for name in ("whoami", "get_key_status", "search_audit_log"):
                session.remember(await client.call_tool(name, {}))
        session.printed += person.shown
        async with session.server("nightly", era, None) as client:
            asked = await client.call_tool("rotate_key", {"app": "shop", "reason": "scheduled"})
            session.remember(asked)
            session.note_values()
    session.run("keys", "adopt", "portal", "--key-stdin", typed=f"{NEXT_KEY}\n")
    session.run("keys", "identify", typed=f"{NEXT_KEY}\n")
    session.run("keys", "identify", NEXT_KEY)
    session.run("app", "scopes", "shop", "--add", PLATFORM_KEY)
    session.run("audit", "hold", "set", "rows of a day that will be long ago")
    session.run("audit", "import", str(log_that_holds_keys(session.machine.home)))
    session.run("app", "add", "live", "--env", "live", "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    session.run("app", "confirm", "live", "client", "--passphrase-stdin", typed="not the passphrase at all\n")
    for command in ("doctor", "approvals", "app list", "app show shop", "app show portal"):
        session.run(*command.split())


def log_that_holds_keys(home: Path) -> Path:
    row = {
        "timestamp": "2026-07-01T12:00:00Z",
        "app": "portal",
        "actor": PLATFORM_KEY,
        "kind": "api_call",
        "action": f"GET /v1/devices?key={PLATFORM_KEY}",
        "result": "ok",
        "request_id": "req_1",
        "user_agent": base64.b64encode(PLATFORM_SECRET.encode()).decode(),
    }
    file = home / "export.jsonl"
    file.write_text(json.dumps(row) + "\n")
    return file


def disguises(value: str) -> set[bytes]:
    raw = value.encode()
    shifted = {base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3)}
    return {raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), value.encode("utf-16-le"), *shifted}


@pytest.fixture(scope="module", params=["modern", "legacy"])
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Session:
    made = Session(tmp_path_factory.mktemp("session"))
    anyio.run(a_session, made, request.param)
    return made


def test_no_value_and_no_passphrase_is_anywhere_but_in_its_sink(session: Session) -> None:
    assert len(session.values) >= 10
    places = [
        ("printed", "\n".join(session.printed).encode()),
        ("server log", session.server_log.read_bytes()),
        *session.stored(),
    ]
    assert any(name == "chekt.db" for name, _ in places)
    found = [
        (name, value[:14])
        for name, content in places
        for value in session.values
        for disguise in disguises(value)
        if disguise in content
    ]
    assert found == []


def test_nothing_printed_or_logged_has_the_shape_of_a_credential(session: Session) -> None:
    lines = "\n".join([*session.printed, session.server_log.read_text()]).splitlines()
    assert len(lines) > 50
    assert [line[:80] for line in lines if contains_credential(line)] == []


def test_values_are_in_their_sinks_for_their_owner_alone(session: Session) -> None:
    files = list(session.machine.secrets.rglob("*.*"))
    assert len(files) >= 4
    for file in files:
        assert re.fullmatch(r"chekt_(whsec_)?(test|live)_[A-Za-z0-9]{38}\n", file.read_text())
        assert file.stat().st_mode & 0o777 == 0o600
