"""`chekt-mcp doctor`: nothing to say on a healthy installation, and each fault by name with how to mend it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chekt_mcp.cli.doctor.finding import Finding, Level, failure
from chekt_mcp.cli.doctor.report import examine
from chekt_mcp.cli.doctor.surroundings import Surroundings
from chekt_mcp.config import Settings, from_environment
from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.rotation import Reason, Rotation, RotationState
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.wiring import open_services, system_clock
from terminal_child import PROGRAM, Machine

T = TypeVar("T")
UNKNOWN_KEY = "chekt_test_EXAMPLEexample0000000000000000AAAA"


def surroundings(machine: Machine) -> Surroundings:
    """A machine with everything as it should be, and no client configured."""
    return Surroundings(
        environ=machine.environment(),
        home=machine.home,
        working_directory=machine.home / "project",
        system="linux",
        python="3.13.1",
        requirements=("mcp<3,>=2.3", "cryptography>=45", "uvicorn>=1; extra == 'http'"),
        version_of=lambda name: {"mcp": "2.3.0", "cryptography": "50.0.2", "uvicorn": "1"}[name],
    )


def settings(machine: Machine) -> Settings:
    return from_environment(machine.environment())


def examined(machine: Machine, here: Surroundings | None = None, *, ahead: timedelta = timedelta(0)) -> list[Finding]:
    clock = lambda: system_clock() + ahead  # noqa: E731 -- the machine's clock, set wrong
    return asyncio.run(examine(settings(machine), here or surroundings(machine), clock))


def faults(machine: Machine, here: Surroundings | None = None, *, ahead: timedelta = timedelta(0)) -> list[Finding]:
    """Return what is not fine, the missing client aside."""
    found = examined(machine, here, ahead=ahead)
    return [one for one in found if one.level is not Level.OK and one.subject != "client"]


def on_state(machine: Machine, work: Callable[[Services], Awaitable[T]]) -> T:
    async def run() -> T:
        services = open_services(settings(machine))
        try:
            return await work(services)
        finally:
            await services.storage.close()

    return asyncio.run(run())


def client_file(machine: Machine, content: object, name: str = ".cursor/mcp.json") -> Path:
    file = machine.home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def server(machine: Machine, **changes: object) -> dict[str, object]:
    key_file = str(machine.secrets / "main" / "shop.api_key")
    environment = {"CHEKT_MCP_STATE": str(machine.state), "CHEKT_API_KEY_FILE": key_file}
    return {"command": PROGRAM, "args": ["serve"], "env": environment, **changes}


def test_a_healthy_installation_has_nothing_broken(ready: Machine) -> None:
    assert faults(ready) == []
    subjects = [one.subject for one in examined(ready)]
    assert {"versions", "state", "database", "key-encryption key", "rotations", "clock"} <= set(subjects)


def test_the_command_ends_with_zero_and_prints_no_key(ready: Machine) -> None:
    done = ready.run("doctor")
    assert done.code == 0, done.out
    assert (ready.secrets / "main" / "shop.api_key").read_text().strip() not in done.out + done.err
    assert done.out.endswith("Nothing is broken.\n")


def test_the_command_ends_with_one_where_something_is_broken(ready: Machine) -> None:
    ready.state.chmod(0o755)
    done = ready.run("doctor")
    assert done.code == 1
    assert f"FAIL  state: {ready.state}: Other users have access to it. Run chmod 700 {ready.state}." in done.out


def test_without_a_state_one_line_says_how_to_make_it_and_none_is_made(machine: Machine) -> None:
    [fault] = faults(machine)
    assert (fault.level, fault.subject) == (Level.FAIL, "state")
    assert "chekt-mcp init" in fault.fix
    assert not machine.state.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"python": "3.10.4"}, "Python 3.10.4 is too old"),
        ({"requirements": ("mcp<3,>=2.4",)}, "mcp 2.3.0 is not what is needed"),
        ({"requirements": ("mcp<2.3,>=2",)}, "mcp 2.3.0 is not what is needed"),
    ],
)
def test_versions_that_do_not_fit_are_named(ready: Machine, change: dict[str, Any], said: str) -> None:
    [fault] = faults(ready, replace(surroundings(ready), **change))
    assert (fault.level, fault.subject) == (Level.FAIL, "versions")
    assert said in fault.text


def test_a_missing_package_is_named(ready: Machine) -> None:
    def version_of(name: str) -> str:
        raise PackageNotFoundError(name)

    here = replace(surroundings(ready), requirements=("mcp>=2.3",), version_of=version_of)
    assert "The package mcp is missing" in faults(ready, here)[0].text


def test_a_package_that_only_an_extra_needs_may_be_missing_and_is_held_to_its_bounds_where_it_is_there(
    ready: Machine,
) -> None:
    def version_of(name: str) -> str:
        if name == "uvloop":
            return "0.20.0"
        raise PackageNotFoundError(name)

    absent = "httptools>=0.6.4; extra == 'fast'"
    old = "uvloop>=0.21; (sys_platform != 'win32') and extra == 'fast'"
    assert faults(ready, replace(surroundings(ready), requirements=(absent,), version_of=version_of)) == []
    [fault] = faults(ready, replace(surroundings(ready), requirements=(absent, old), version_of=version_of))
    assert "uvloop 0.20.0 is not what is needed (>=0.21)" in fault.text


@pytest.mark.parametrize("name", ["chekt.db", "."])
def test_permissions_that_let_others_in_are_a_fault(ready: Machine, name: str) -> None:
    (ready.state / name).chmod(0o755)
    [fault] = faults(ready)
    assert (fault.level, fault.subject) == (Level.FAIL, "state")
    assert "chmod" in fault.fix


def test_a_database_of_a_newer_version_is_a_fault_and_left_alone(ready: Machine) -> None:
    with sqlite3.connect(ready.state / "chekt.db") as database:
        database.execute("PRAGMA user_version = 999")
    database.close()
    before = (ready.state / "chekt.db").read_bytes()
    [fault] = faults(ready)
    assert fault.subject == "database"
    assert "state_newer" in fault.text
    assert (ready.state / "chekt.db").read_bytes() == before


def test_a_damaged_database_is_a_fault(ready: Machine) -> None:
    (ready.state / "chekt.db").write_bytes(b"not a database" * 100)
    [fault] = faults(ready)
    assert (fault.level, fault.subject) == (Level.FAIL, "database")
    assert "state_corrupt" in fault.text


def test_a_damaged_page_is_a_fault_though_the_database_opens(ready: Machine) -> None:
    file = ready.state / "chekt.db"
    content = bytearray(file.read_bytes())
    content[20 * 4096 : 21 * 4096] = b"\xa5" * 4096
    file.write_bytes(content)
    on_state(ready, lambda services: services.storage.read(lambda reader: reader.dealers()))
    [fault] = faults(ready)
    assert (fault.level, fault.subject) == (Level.FAIL, "database")
    assert "state_corrupt" in fault.text


def test_a_place_that_takes_no_new_key_is_a_fault(ready: Machine) -> None:
    (ready.home / "keys").write_text("no directory")
    ready.variables["CHEKT_MCP_SECRETS_DIR"] = str(ready.home / "keys")
    [fault] = [one for one in faults(ready) if one.subject != "key"]
    assert (fault.level, fault.subject) == (Level.FAIL, "delivery")
    assert "is not a directory" in fault.text


def test_a_state_without_a_dealer_is_a_fault(machine: Machine) -> None:
    machine.state.mkdir(mode=0o700)
    asyncio.run(open_storage(machine.state).close())
    assert "no dealer" in faults(machine)[0].text


def test_a_directory_without_a_state_is_a_fault_and_gets_none(machine: Machine) -> None:
    machine.state.mkdir(mode=0o700)
    [fault] = faults(machine)
    assert "state_missing" in fault.text
    assert list(machine.state.iterdir()) == []


@pytest.mark.parametrize("fault", ["missing", "open to others", "another key", "no key"])
def test_a_key_encryption_key_that_does_not_open_is_a_fault(ready: Machine, fault: str) -> None:
    file = ready.state / "kek"
    if fault == "missing":
        file.unlink()
    elif fault == "open to others":
        file.chmod(0o644)
    else:
        file.write_text("a" * 43 + "=\n" if fault == "another key" else "nonsense")
    found = [one for one in faults(ready) if one.subject.startswith("key-encryption key")]
    assert [one.level for one in found] == [Level.FAIL]
    assert "secret_unreadable" in found[0].text


def test_a_key_file_named_by_the_environment_is_judged(ready: Machine) -> None:
    ready.variables["CHEKT_API_KEY_FILE"] = str(ready.secrets / "main" / "shop.api_key")
    assert faults(ready) == []
    assert any("CHEKT_API_KEY_FILE" in one.subject for one in examined(ready))


@pytest.mark.parametrize(
    ("content", "mode", "code"),
    [
        (None, 0o600, "key_file_missing"),
        ("", 0o600, "key_file_empty"),
        ("hello", 0o600, "malformed_key"),
        (UNKNOWN_KEY, 0o600, "unknown_key"),
        ("chekt_whsec_test_EXAMPLEexample0000000000000000AAAA", 0o600, "signing_secret_given"),
        (UNKNOWN_KEY, 0o644, "key_file_too_open"),
    ],
)
def test_a_key_file_that_opens_nothing_is_a_fault(ready: Machine, content: str | None, mode: int, code: str) -> None:
    file = ready.home / "key"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    ready.variables["CHEKT_API_KEY_FILE"] = str(file)
    [fault] = faults(ready)
    assert fault.level is Level.FAIL
    assert code in fault.text
    assert UNKNOWN_KEY not in fault.line()


def test_a_key_file_that_the_group_can_read_is_a_fault_even_though_the_key_works(ready: Machine) -> None:
    (ready.secrets / "main" / "shop.api_key").chmod(0o640)
    [fault] = faults(ready)
    assert "chmod 600" in fault.fix


def test_a_mistyped_key_is_said_to_be_one_by_its_checksum(ready: Machine) -> None:
    key = (ready.secrets / "main" / "shop.api_key").read_text().strip()
    other = "a" if key[20] != "a" else "b"
    ready.variables["CHEKT_API_KEY"] = key[:20] + other + key[21:]
    [fault] = faults(ready)
    assert "checksum does not fit" in fault.text


@pytest.mark.parametrize(
    ("state", "level", "said"),
    [(KeyState.REVOKED, Level.FAIL, "revoked_key"), (KeyState.PREVIOUS, Level.WARN, "was replaced and works until")],
)
def test_a_key_that_is_no_longer_current_is_reported(ready: Machine, state: KeyState, level: Level, said: str) -> None:
    async def retire(services: Services) -> None:
        [key] = await services.storage.read(lambda reader: reader.keys("main", "shop", KeyKind.API_KEY))
        until = system_clock() + timedelta(hours=1)
        retired = replace(key.key, state=state, valid_until=until, revoked_at=until)
        await services.storage.write(lambda writer: writer.update_key(retired))

    on_state(ready, retire)
    ready.variables["CHEKT_API_KEY_FILE"] = str(ready.secrets / "main" / "shop.api_key")
    [fault] = faults(ready)
    assert fault.level is level
    assert said in fault.text


def test_a_bad_key_file_that_nobody_is_configured_with_is_a_warning_only(ready: Machine) -> None:
    (ready.secrets / "main" / "shop.api_key").write_text("hello")
    [fault] = faults(ready)
    assert fault.level is Level.WARN


def entry(at: datetime, origin: str | None = None, kind: Kind = Kind.TOOL_CALL) -> NewEntry:
    return NewEntry("main", at, "app:shop", kind, "whoami", Result.OK, "req_x", app="shop", origin=origin)


def test_a_clock_that_went_back_shows_by_our_own_entries(ready: Machine) -> None:
    later = system_clock() + timedelta(hours=2)
    on_state(ready, lambda services: services.storage.write(lambda writer: writer.append([entry(later)])))
    [fault] = faults(ready)
    assert (fault.level, fault.subject) == (Level.FAIL, "clock")
    assert faults(ready, ahead=timedelta(hours=3)) == []


def test_imported_entries_of_another_clock_say_nothing_about_ours(ready: Machine) -> None:
    imported = entry(system_clock() + timedelta(hours=2), "imp_x", Kind.OPERATOR_ACTION)
    on_state(ready, lambda services: services.storage.write(lambda writer: writer.append_imported([imported])))
    assert faults(ready) == []


@pytest.mark.parametrize("year", [1970, 2199])
def test_a_year_that_cannot_be_is_a_fault(ready: Machine, year: int) -> None:
    away = datetime(year, 6, 1, tzinfo=UTC) - system_clock()
    assert any(one.subject == "clock" for one in faults(ready, ahead=away))


def rotation(machine: Machine, lease: timedelta, target: str) -> Rotation:
    now = system_clock()
    return Rotation(
        rotation_id="rot_x",
        dealer="main",
        app="shop",
        kind=KeyKind.API_KEY,
        reason=Reason.SCHEDULED,
        state=RotationState.DELIVERING,
        old_key_id=None,
        new_key_id="key_x",
        sink="file",
        target=target,
        revoke_previous_now=False,
        requested_by="app:shop",
        approval_id="apr_x",
        started_at=now,
        lease_until=now + lease,
        sealed=b"cannot be opened",
    )


@pytest.mark.parametrize(("lease", "level"), [(timedelta(minutes=2), Level.WARN), (timedelta(minutes=-1), Level.FAIL)])
def test_an_unfinished_rotation_is_reported_as_running_or_stuck(ready: Machine, lease: timedelta, level: Level) -> None:
    target = json.dumps({"path": str(ready.home / "key"), "reference": "a file"})
    started = rotation(ready, lease, target)
    on_state(ready, lambda services: services.storage.write(lambda writer: writer.add_rotation(started)))
    [fault] = faults(ready)
    assert (fault.level, fault.subject) == (level, "rotations")


def test_commands_that_touch_keys_say_that_a_rotation_is_stuck(ready: Machine) -> None:
    target = json.dumps({"path": str(ready.home / "key"), "reference": "a file"})
    stuck = rotation(ready, timedelta(minutes=-1), target)
    on_state(ready, lambda services: services.storage.write(lambda writer: writer.add_rotation(stuck)))
    done = ready.run("app", "list")
    assert done.code == 0
    assert "note: Rotation rot_x of shop is not delivered yet" in done.err


def test_no_client_at_all_is_a_warning_that_says_what_to_do(ready: Machine) -> None:
    [found] = [one for one in examined(ready) if one.subject == "client"]
    assert found.level is Level.WARN
    assert "app show" in found.fix


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        (".config/Claude/claude_desktop_config.json", lambda one: {"mcpServers": {"chekt": one}}),
        ("project/.mcp.json", lambda one: {"mcpServers": {"chekt": one}}),
        (".claude.json", lambda one: {"mcpServers": {"chekt": one}}),
        (".claude.json", lambda one: {"projects": {"/work": {"mcpServers": {"chekt": one}}, "/other": None}}),
        (".cursor/mcp.json", lambda one: {"mcpServers": {"other": {"command": "x"}, "chekt": one}}),
        ("project/.cursor/mcp.json", lambda one: {"mcpServers": {"chekt": one}}),
        ("project/.vscode/mcp.json", lambda one: {"servers": {"chekt": {"type": "stdio", **one}}}),
        (".config/Code/User/mcp.json", lambda one: {"servers": {"chekt": one}}),
    ],
)
def test_every_client_is_found_where_it_keeps_its_servers(
    ready: Machine, name: str, wrap: Callable[[dict[str, object]], object]
) -> None:
    client_file(ready, wrap(server(ready)), name)
    found = [one for one in examined(ready) if one.subject.startswith("client")]
    assert [one.level for one in found] == [Level.OK]
    assert faults(ready) == []


def test_on_a_mac_the_settings_are_elsewhere(ready: Machine) -> None:
    name = "Library/Application Support/Claude/claude_desktop_config.json"
    client_file(ready, {"mcpServers": {"chekt": server(ready)}}, name)
    found = examined(ready, replace(surroundings(ready), system="darwin"))
    assert any("Claude Desktop" in one.subject for one in found)


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"command": "/nowhere/chekt-mcp"}, Level.FAIL, "is not found"),
        ({"args": []}, Level.FAIL, "lack `serve`"),
        ({"env": {}}, Level.FAIL, "names no key"),
        ({"env": {"CHEKT_API_KEY_FILE": "/nowhere/key"}}, Level.FAIL, "key_file_missing"),
    ],
)
def test_a_client_that_cannot_start_the_server_is_a_fault(
    ready: Machine, changes: dict[str, object], level: Level, said: str
) -> None:
    client_file(ready, {"mcpServers": {"chekt": server(ready, **changes)}})
    [fault] = faults(ready)
    assert fault.level is level
    assert said in fault.text


def test_a_key_in_clear_in_a_client_is_a_warning_that_does_not_repeat_it(ready: Machine) -> None:
    key = (ready.secrets / "main" / "shop.api_key").read_text().strip()
    client_file(ready, {"mcpServers": {"chekt": server(ready, env={"CHEKT_API_KEY": key})}})
    [fault] = faults(ready)
    assert (fault.level, fault.text) == (Level.WARN, "It holds a key in clear.")
    assert key not in "".join(one.line() for one in examined(ready))


def test_a_bad_setting_is_a_fault_and_the_other_checks_go_on(ready: Machine) -> None:
    ready.variables["CHEKT_MCP_GRACE_HOURS"] = "forever"
    done = ready.run("doctor")
    assert done.code == 1
    assert done.out.startswith("FAIL  settings: bad_setting: CHEKT_MCP_GRACE_HOURS must be a whole number")
    assert "database: it opens" in done.out
    assert done.out.endswith("\n1 broken.\n")
    assert "forever" not in done.out + done.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHEKT_MCP_GRACE_HOURS", "forever"),
        ("CHEKT_MCP_STATE", "~no-such-user-here/state"),
        ("CHEKT_API_KEY_FILE", "~no-such-user-here/key"),
    ],
)
def test_a_client_that_sets_what_cannot_be_read_is_a_fault(ready: Machine, name: str, value: str) -> None:
    environment = {**server(ready)["env"], name: value}  # type: ignore[dict-item]  # a mapping
    client_file(ready, {"mcpServers": {"chekt": server(ready, env=environment)}})
    [fault] = faults(ready)
    assert fault.level is Level.FAIL
    assert fault.text.startswith(f"bad_setting: {name} ")
    assert value not in fault.line()


def test_a_client_on_another_state_is_a_warning(ready: Machine) -> None:
    environment = {**server(ready)["env"], "CHEKT_MCP_STATE": "/somewhere/else"}  # type: ignore[dict-item]  # a mapping
    client_file(ready, {"mcpServers": {"chekt": server(ready, env=environment)}})
    [fault] = faults(ready)
    assert "another state directory" in fault.text


def test_values_that_the_client_fills_in_are_left_alone(ready: Machine) -> None:
    environment = {"CHEKT_MCP_STATE": "${workspaceFolder}/state", "CHEKT_API_KEY": "${input:key}"}
    client_file(ready, {"servers": {"chekt": server(ready, env=environment)}}, "project/.vscode/mcp.json")
    assert faults(ready) == []


@pytest.mark.parametrize("content", ["{", "[1, 2]", "null", '{"mcpServers": 7}', '{"projects": [1]}', "// comment\n{}"])
def test_a_client_file_that_says_something_else_breaks_nothing(ready: Machine, content: str) -> None:
    client_file(ready, content)
    assert all(one.level is not Level.FAIL for one in examined(ready))


def test_no_line_can_draw_on_the_terminal_or_hold_a_key(ready: Machine) -> None:
    client_file(ready, {"mcpServers": {f"\x1b[2J{UNKNOWN_KEY}": server(ready, command="/\x1b[2J/chekt-mcp")}})
    text = "\n".join(one.line() for one in examined(ready))
    assert "\x1b" not in text
    assert UNKNOWN_KEY not in failure("client", UNKNOWN_KEY).line()


def test_looking_changes_nothing(ready: Machine) -> None:
    def snapshot() -> dict[str, int]:
        return {str(path): path.stat().st_mode for path in sorted(ready.home.rglob("*")) if "chekt.db" not in path.name}

    before = snapshot()
    examined(ready)
    assert snapshot() == before
