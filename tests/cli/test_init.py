"""`chekt-mcp init`: from nothing to a state, a key in a file, and a configuration to paste."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from terminal_child import PASSPHRASE, PROGRAM, Machine

KEY = re.compile(r"chekt_(?:whsec_)?(?:test|live)_[A-Za-z0-9]{32,}")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def configuration(output: str) -> dict[str, object]:
    found = json.loads(output[output.index("{\n") : output.rindex("\n}") + 2])
    server = found["mcpServers"]["chekt"]
    assert isinstance(server, dict)
    return server


def test_without_a_terminal_keys_go_to_private_files_and_only_their_paths_are_printed(machine: Machine) -> None:
    done = machine.run("init", "--app", "shop")
    assert done.code == 0
    assert not KEY.search(done.out + done.err)
    files = [machine.secrets / "main" / name for name in ("shop.api_key", "shop.signing_secret")]
    for file in files:
        assert str(file) in done.out
        assert mode(file) == 0o600
        assert KEY.fullmatch(file.read_text().strip())


def test_everything_init_makes_is_for_its_user_alone(machine: Machine) -> None:
    machine.ok("init", "--app", "shop")
    made = [machine.state, *machine.state.rglob("*")]
    assert {oct(mode(path)) for path in made if path.is_dir()} == {"0o700"}
    assert {oct(mode(path)) for path in made if path.is_file()} == {"0o600"}


def test_the_printed_configuration_starts_this_program_on_this_state_with_the_key_file(machine: Machine) -> None:
    server = configuration(machine.ok("init", "--app", "shop"))
    assert server["command"] == PROGRAM
    assert server["args"] == ["serve"]
    assert server["env"] == {
        "CHEKT_MCP_STATE": str(machine.state),
        "CHEKT_API_KEY_FILE": str(machine.secrets / "main" / "shop.api_key"),
    }


def test_at_a_terminal_key_and_secret_are_shown_once_and_the_key_is_in_its_file_too(machine: Machine) -> None:
    with machine.terminal("init", "--app", "shop") as person:
        pass
    assert person.code == 0
    shown = KEY.findall(person.screen)
    file = machine.secrets / "main" / "shop.api_key"
    assert len(shown) == len(set(shown)) == 2
    assert file.read_text().strip() == shown[0]
    assert shown[1].startswith("chekt_whsec_test_")
    assert str(file) in person.screen
    assert not (machine.secrets / "main" / "shop.signing_secret").exists()
    assert not KEY.search(machine.ok("app", "show", "shop"))


def test_a_live_app_asks_for_a_new_passphrase_until_it_is_long_enough_and_typed_alike(machine: Machine) -> None:
    with machine.terminal("init", "--app", "shop", "--env", "live") as person:
        person.answer("New approver passphrase", "short")
        person.expect("fewer than 12 characters")
        person.answer("New approver passphrase", PASSPHRASE)
        person.answer("The same again", PASSPHRASE + "x")
        person.expect("not the same")
        person.answer("New approver passphrase", PASSPHRASE)
        person.answer("The same again", PASSPHRASE)
    assert person.code == 0
    assert PASSPHRASE not in person.screen
    assert "chekt_live_" in person.screen


def test_a_live_app_without_a_terminal_needs_the_passphrase_on_standard_input(machine: Machine) -> None:
    refused = machine.run("init", "--app", "shop", "--env", "live")
    assert (refused.code, refused.error) == (1, "passphrase_required")
    assert not machine.state.exists()
    weak = machine.run("init", "--app", "shop", "--env", "live", "--passphrase-stdin", typed="short\n")
    assert (weak.code, weak.error) == (1, "weak_passphrase")
    machine.ok("init", "--app", "shop", "--env", "live", "--passphrase-stdin", typed=PASSPHRASE + "\n")
    assert "(live, local)" in machine.ok("app", "show", "shop")


def test_a_passphrase_given_with_a_test_app_is_set_as_well(machine: Machine) -> None:
    machine.ok("init", "--app", "shop", "--passphrase-stdin", typed=PASSPHRASE + "\n")
    assert machine.run("app", "confirm", "shop", "out_of_band").error == "passphrase_required"


@pytest.mark.parametrize("source", ["CHEKT_MCP_KEK", "CHEKT_MCP_KEK_COMMAND"])
def test_a_key_encryption_key_from_elsewhere_is_used_and_no_file_is_made(machine: Machine, source: str) -> None:
    encoded = base64.b64encode(b"example-" * 4).decode()
    machine.variables[source] = encoded if source == "CHEKT_MCP_KEK" else f"echo {encoded}"
    out = machine.ok("init", "--app", "shop")
    assert not (machine.state / "kek").exists()
    assert f"The server needs {source}" in out
    assert encoded not in out
    del machine.variables[source]
    assert machine.run("init", "--dealer", "other", "--app", "shop").error == "secret_unreadable"
    assert not (machine.state / "kek").exists()


def test_a_second_init_is_refused_and_changes_nothing(ready: Machine) -> None:
    before = (ready.secrets / "main" / "shop.api_key").read_text()
    done = ready.run("init", "--app", "shop")
    assert (done.code, done.error) == (1, "dealer_exists")
    assert (ready.secrets / "main" / "shop.api_key").read_text() == before
    assert ready.ok("app", "list").count("shop") == 1


def test_a_second_dealer_gets_keys_of_its_own(ready: Machine) -> None:
    ready.ok("init", "--dealer", "acme", "--app", "shop")
    keys = {(ready.secrets / dealer / "shop.api_key").read_text() for dealer in ("main", "acme")}
    assert len(keys) == 2
    assert ready.run("app", "show", "shop").error == "dealer_required"
    assert "of dealer acme" in ready.ok("app", "show", "shop", "--dealer", "acme")


def test_of_two_inits_at_once_one_wins_and_its_key_is_the_one_in_the_file(machine: Machine) -> None:
    both = [
        subprocess.Popen(
            [PROGRAM, "init", "--app", "shop"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=machine.environment(),
            cwd=machine.home,
        )
        for _ in range(2)
    ]
    ended = [(process.communicate()[1].decode(), process.returncode) for process in both]
    assert sorted(code for _, code in ended) == [0, 1]
    assert next(text for text, code in ended if code).startswith("error: dealer_exists: ")
    shown = re.search(r"chekt_test_…(\w{4})", machine.ok("app", "list"))
    assert shown
    assert (machine.secrets / "main" / "shop.api_key").read_text().strip().endswith(shown.group(1))


@pytest.mark.parametrize("place", ["argument", "relative argument", "variable", "XDG_STATE_HOME", "home"])
def test_the_state_is_where_it_was_said_to_be(machine: Machine, place: str) -> None:
    machine.variables["CHEKT_MCP_STATE"] = str(machine.state) if place == "variable" else ""
    arguments = {"argument": str(machine.home / "here"), "relative argument": "here"}
    if place == "XDG_STATE_HOME":
        machine.variables["XDG_STATE_HOME"] = str(machine.home / "xdg")
    expected = {
        "variable": machine.state,
        "XDG_STATE_HOME": machine.home / "xdg" / "chekt-mcp",
        "home": machine.home / ".local" / "state" / "chekt-mcp",
    }.get(place, machine.home / "here")
    flags = ["--state", arguments[place]] if place in arguments else []
    server = configuration(machine.ok(*flags, "init", "--app", "shop"))
    assert (expected / "chekt.db").is_file()
    assert isinstance(server["env"], dict)
    assert server["env"]["CHEKT_MCP_STATE"] == str(expected)


@pytest.mark.parametrize("path", [None, "/usr/bin:/bin"])
def test_the_next_commands_can_be_pasted_into_the_same_shell(machine: Machine, path: str | None) -> None:
    if path is not None:
        machine.variables["PATH"] = path
    done = machine.ok("--state", "my state", "init", "--app", "shop")
    [told] = [line for line in done.splitlines() if "at any time" in line]
    line = told.partition("at any time: ")[2]
    again = subprocess.run(["/bin/sh", "-c", line], env=machine.environment(), cwd=machine.home, check=False)
    assert again.returncode == 0
    assert line.startswith("chekt-mcp " if path is None else PROGRAM)


def test_options_count_before_and_after_the_command(machine: Machine) -> None:
    machine.ok("--state", "one", "init", "--app", "shop")
    assert "shop" in machine.ok("app", "list", "--state", "one")
    assert "shop" in machine.ok("app", "--state", "one", "list")


def test_another_secrets_directory_is_used_and_handed_on_to_the_client(machine: Machine) -> None:
    server = configuration(machine.ok("init", "--app", "shop", "--secrets-dir", "keys"))
    key_file = machine.home / "keys" / "main" / "shop.api_key"
    assert key_file.exists()
    assert server["env"] == {
        "CHEKT_MCP_STATE": str(machine.state),
        "CHEKT_API_KEY_FILE": str(key_file),
        "CHEKT_MCP_SECRETS_DIR": str(machine.home / "keys"),
    }


def test_a_directory_that_cannot_be_made_is_said_in_words(machine: Machine) -> None:
    (machine.home / "file").write_text("")
    done = machine.run("--state", "file/state", "init", "--app", "shop")
    assert (done.code, done.error) == (1, "state_unwritable")
    assert "Not a directory" in done.err
    assert "Traceback" not in done.err


def test_a_directory_that_others_use_is_refused_and_an_empty_one_made_private(machine: Machine) -> None:
    machine.state.mkdir(mode=0o755)
    (machine.state / "something").write_text("")
    assert machine.run("init", "--app", "shop").error == "state_not_private"
    assert mode(machine.state) == 0o755
    (machine.state / "something").unlink()
    machine.ok("init", "--app", "shop")
    assert mode(machine.state) == 0o700


def test_a_key_file_that_stands_there_already_is_never_overwritten(machine: Machine) -> None:
    (machine.home / "keys" / "main").mkdir(parents=True, mode=0o700)
    file = machine.home / "keys" / "main" / "shop.api_key"
    file.write_text("somebody's only copy\n")
    done = machine.run("--secrets-dir", "keys", "init", "--app", "shop")
    assert (done.code, done.error) == (1, "key_file_exists")
    assert file.read_text() == "somebody's only copy\n"
    assert machine.run("app", "list").error == "state_empty"
    file.unlink()
    machine.ok("--secrets-dir", "keys", "init", "--app", "shop")


def test_a_secrets_directory_that_cannot_be_written_leaves_nothing_behind_that_cannot_be_done_again(
    machine: Machine,
) -> None:
    (machine.home / "file").write_text("")
    done = machine.run("--secrets-dir", "file/keys", "init", "--app", "shop")
    assert (done.code, done.error) == (1, "delivery_failed")
    machine.ok("init", "--app", "shop")


def test_an_allow_list_comes_with_the_app_or_is_refused_with_every_error(machine: Machine) -> None:
    bad, good = machine.home / "bad.txt", machine.home / "good.txt"
    bad.write_text("203.0.113.7\n198.51.100.300\n10.0.0.1/8\n")
    good.write_text("# office\n203.0.113.7\n")
    done = machine.run("init", "--app", "shop", "--allow-list", bad)
    assert (done.code, done.error) == (1, "bad_allow_list")
    assert "Line 2, column 1" in done.err
    assert "Line 3, column 1" in done.err
    assert not machine.state.exists()
    machine.ok("init", "--app", "shop", "--allow-list", good)
    assert "version 1, 1 entry," in machine.ok("app", "show", "shop")


def test_a_list_that_lets_everybody_in_is_refused(machine: Machine) -> None:
    done = machine.run("init", "--app", "shop", "--allow-list", "-", typed="0.0.0.0/0\n")
    assert (done.code, done.error) == (1, "allow_list_covers_everything")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--app", "Shop"], "bad_name"),
        (["--app", "../shop"], "bad_name"),
        (["--app", "shop", "--dealer", "a/b"], "bad_name"),
        (["--app", "shop", "--scopes", "keys:everything"], "unknown_scope"),
        (["--app", "shop", "--covers", "other"], "unknown_app"),
        (["--app", "shop", "--allow-list", "missing.txt"], "unreadable_file"),
    ],
)
def test_what_cannot_be_is_refused_by_name(machine: Machine, arguments: list[str], error: str) -> None:
    done = machine.run("init", *arguments)
    assert (done.code, done.error) == (1, error)


def test_control_c_at_the_passphrase_prompt_stops_at_once_and_makes_nothing(machine: Machine) -> None:
    with machine.terminal("init", "--app", "shop", "--env", "live") as person:
        person.expect("New approver passphrase")
        person.press_control_c()
    assert person.code == 1
    assert "error: interrupted: " in person.screen
    assert not machine.state.exists()
