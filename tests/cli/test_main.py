"""The command line as such: usage, exit codes, keys as arguments, and errors in words whatever happens."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from chekt_mcp import __version__
from chekt_mcp.cli.commands import COMMANDS
from terminal_child import PROGRAM, Machine

KEY = "chekt_live_EXAMPLEexample0000000000000000AAAA"
COMMANDS_WITH_ACTIONS = {
    "app": ["add", "list", "show", "adopt", "scopes", "confirm"],
    "audit": ["import"],
    "ranges": ["fetch"],
}


@pytest.mark.parametrize(
    "arguments",
    [
        ["init", "--app", KEY],
        ["app", "adopt", "portal", KEY],
        ["app", "adopt", "portal", f"--key-file={KEY}"],
        ["approve", KEY],
        ["serve", KEY],
        [KEY],
    ],
)
def test_a_key_as_an_argument_is_refused_and_not_echoed(machine: Machine, arguments: list[str]) -> None:
    done = machine.run(*arguments)
    assert (done.code, done.error) == (1, "key_in_arguments")
    assert "history" in done.err
    assert "rotate" in done.err
    assert KEY not in done.out + done.err
    assert not machine.state.exists()


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["app"], ["init"], ["approve"], ["init", "--ap", "shop"]])
def test_wrong_usage_ends_with_two(machine: Machine, arguments: list[str]) -> None:
    done = machine.run(*arguments)
    assert done.code == 2
    assert done.error == "usage"
    assert done.out == ""


def test_what_was_typed_wrong_cannot_draw_on_the_terminal(machine: Machine) -> None:
    assert "\x1b" not in machine.run("\x1b[2Jnonsense").err


@pytest.mark.parametrize(
    "arguments",
    [[name] for name in COMMANDS]
    + [[name, action] for name, actions in COMMANDS_WITH_ACTIONS.items() for action in actions],
)
def test_every_command_explains_itself(machine: Machine, arguments: list[str]) -> None:
    assert machine.ok(*arguments, "--help").startswith(f"usage: chekt-mcp {' '.join(arguments)}")


def test_the_version_is_told_both_ways(machine: Machine) -> None:
    assert machine.ok("--version") == f"chekt-mcp {__version__}\n"
    assert machine.ok("version").splitlines()[0] == f"chekt-mcp {__version__}"


def test_a_setting_that_cannot_be_is_refused_in_one_line(machine: Machine) -> None:
    machine.variables["CHEKT_MCP_GRACE_HOURS"] = "forever"
    done = machine.run("app", "list")
    assert (done.code, done.error) == (1, "bad_setting")
    assert done.err.count("\n") == 1


BROKEN = (
    "import chekt_mcp.wiring, sys\n"
    "def broken(*_, **__): raise ZeroDivisionError('chekt_live_' + 'EXAMPLEexample0000000000000000AAAA')\n"
    "chekt_mcp.wiring.open_services = broken\n"
    "from chekt_mcp.cli.main import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)


@pytest.mark.parametrize("debug", ["0", "1"])
def test_the_unexpected_is_one_line_and_its_details_come_only_on_request_without_keys(
    machine: Machine, debug: str
) -> None:
    environment = {**machine.environment(), "CHEKT_MCP_DEBUG": debug}
    call = [sys.executable, "-c", BROKEN, "app", "list"]
    done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "error: internal_error: Something unexpected happened (ZeroDivisionError). Please report it" in done.stderr
    assert ("Traceback" in done.stderr) is (debug == "1")
    assert KEY not in done.stderr


FINDING_IS_ONE = ["audit verify", "audit verify-export nothing", "audit analyze", "audit correlate pyproject.toml"]
"""Commands whose exit code 1 says that something was found."""


@pytest.mark.parametrize("command", FINDING_IS_ONE)
def test_a_mistake_of_ours_is_no_finding(ready: Machine, command: str) -> None:
    call = [sys.executable, "-c", BROKEN, *command.split()]
    assert subprocess.run(call, capture_output=True, env=ready.environment(), check=False).returncode == 2


@pytest.mark.parametrize(("command", "code"), [("app list", 1), ("audit verify", 2), ("audit analyze", 2)])
def test_a_reader_that_went_away_is_no_traceback_and_no_finding(ready: Machine, command: str, code: int) -> None:
    with subprocess.Popen(
        [PROGRAM, *command.split()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ready.environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"error" not in process.stderr.read()
    assert process.returncode == code


def test_a_closed_standard_input_is_no_traceback(ready: Machine) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" app adopt portal --key-stdin <&-', PROGRAM],
        capture_output=True,
        env=ready.environment(),
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: no_answer: ")


def test_garbage_is_not_collected_while_the_server_is_imported() -> None:
    watch = (
        "import gc, sys, types; seen = []; fake = types.ModuleType('chekt_mcp.stdio');"
        "fake.serve_stdio = lambda settings: seen.append(gc.isenabled());"
        "sys.modules['chekt_mcp.stdio'] = fake; from chekt_mcp.cli.main import main;"
        "print(main(['serve', '--state', '/nowhere']), seen)"
    )
    done = subprocess.run([sys.executable, "-c", watch], capture_output=True, text=True, check=True)
    assert done.stdout == "0 [False]\n"
    assert gc.isenabled()


def test_serving_loads_no_other_command() -> None:
    watch = (
        "import sys, types; fake = types.ModuleType('chekt_mcp.stdio'); fake.serve_stdio = lambda settings: None;"
        "sys.modules['chekt_mcp.stdio'] = fake; from chekt_mcp.cli.main import main; main(['serve']);"
        "loaded = [m for m in sys.modules if m.startswith('chekt_mcp.cli.')]; print(sorted(loaded));"
        "print([m for m in ('sqlite3', 'cryptography', 'getpass', 'netaddr', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", watch], capture_output=True, text=True, check=True)
    cli = [
        f"chekt_mcp.cli.{name}"
        for name in ("arguments", "command", "command_line", "commands", "main", "serve", "terminal")
    ]
    assert done.stdout == f"{cli}\n[]\n"
