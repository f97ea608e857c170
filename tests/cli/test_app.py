"""`chekt-mcp app …`: adding, looking, and changing what an app may do."""

from __future__ import annotations

import re

import pytest

from terminal_child import PASSPHRASE, Machine

KEY = re.compile(r"chekt_(?:whsec_)?(?:test|live)_[A-Za-z0-9]{32,}")


def test_a_further_app_gets_a_key_file_and_a_configuration_that_points_there(ready: Machine) -> None:
    out = ready.ok("app", "add", "trainee", "--scopes", "allowlist:read", "--covers", "shop")
    assert str(ready.secrets / "main" / "trainee.api_key") in out
    assert not KEY.search(out)
    shown = ready.ok("app", "show", "trainee")
    assert "scopes: allowlist:read\n" in shown
    assert "covers: shop\n" in shown


def test_an_app_that_exists_is_not_added_again(ready: Machine) -> None:
    before = (ready.secrets / "main" / "shop.api_key").read_text()
    assert ready.run("app", "add", "shop").error == "app_exists"
    assert (ready.secrets / "main" / "shop.api_key").read_text() == before


def test_show_prints_the_configuration_again_and_no_value(ready: Machine) -> None:
    shown = ready.ok("app", "show", "shop")
    assert '"CHEKT_API_KEY_FILE"' in shown
    assert "api_key: chekt_test_…" in shown
    assert not KEY.search(shown)


def test_an_unknown_app_is_said_to_be_unknown(ready: Machine) -> None:
    for command in (["show", "nobody"], ["scopes", "nobody", "--add", "keys:read"], ["confirm", "nobody", "client"]):
        assert ready.run("app", *command).error == "unknown_app"


def test_wherever_an_app_is_named_that_there_is_not_it_is_said_where_to_look(ready: Machine) -> None:
    for command in (
        ["app", "show", "nobody"],
        ["allow-list", "show", "--app", "nobody"],
        ["audit", "search", "--app", "nobody"],
        ["keys", "gone", "nobody", "192.0.2.1"],
    ):
        said = ready.run(*command).err
        assert said.startswith("error: unknown_app: This dealer has no app of that name. `chekt-mcp app list`"), command


def test_scopes_are_added_and_taken_away(ready: Machine) -> None:
    said = ready.ok("app", "scopes", "shop", "--add", "devices:read", "--remove", "keys:write,allowlist:write")
    assert said.startswith("shop now holds: allowlist:read devices:read keys:read operators:read webhooks:read.")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "no_scopes_named"),
        (["--add", "keys:read", "--remove", "keys:read"], "no_scopes_named"),
        (["--add", "everything"], "unknown_scope"),
        (["--add", ""], "unknown_scope"),
    ],
)
def test_scopes_must_be_named_and_known(ready: Machine, arguments: list[str], error: str) -> None:
    assert ready.run("app", "scopes", "shop", *arguments).error == error


def test_who_confirms_is_chosen_and_explained(ready: Machine) -> None:
    said = ready.ok("app", "confirm", "shop", "out_of_band")
    assert "chekt-mcp approve" in said
    assert "confirm: out_of_band" in ready.ok("app", "show", "shop")
    assert ready.run("app", "confirm", "shop", "nobody").code == 2


def test_a_live_app_of_a_dealer_without_passphrase_sets_one_and_from_then_on_it_is_asked_for(ready: Machine) -> None:
    assert ready.run("app", "add", "prod", "--env", "live").error == "passphrase_required"
    ready.ok("app", "add", "prod", "--env", "live", "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    for command in (["add", "other"], ["scopes", "shop", "--add", "devices:read"], ["confirm", "shop", "client"]):
        assert ready.run("app", *command).error == "passphrase_required"
        wrong = ready.run("app", *command, "--passphrase-stdin", typed="not the right one\n")
        assert (wrong.code, wrong.error) == (1, "wrong_passphrase")
        ready.ok("app", *command, "--passphrase-stdin", typed=f"{PASSPHRASE}\n")


def test_after_five_wrong_passphrases_not_even_the_right_one_opens(live: Machine) -> None:
    change = ("app", "scopes", "shop", "--add", "devices:read", "--passphrase-stdin")
    errors = [live.run(*change, typed=f"guess number {number}\n").error for number in range(5)]
    assert errors == ["wrong_passphrase"] * 4 + ["passphrase_locked"]
    assert live.run(*change, typed=f"{PASSPHRASE}\n").error == "passphrase_locked"
    assert "devices:read" not in live.ok("app", "show", "shop")


def test_at_a_terminal_the_passphrase_is_asked_for_hidden_and_again_when_wrong(live: Machine) -> None:
    with live.terminal("app", "confirm", "shop", "client") as person:
        person.answer("Approver passphrase: ", "not the right one")
        person.expect("That is not it. 4 attempts left.")
        person.answer("Approver passphrase: ", PASSPHRASE)
        person.expect("warning: this app is live")
    assert person.code == 0
    assert PASSPHRASE not in person.screen


def test_a_passphrase_that_comes_with_the_first_live_app_is_said_to_be_set(ready: Machine) -> None:
    said = ready.ok("app", "add", "gate", "--env", "live", "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    assert "The approver passphrase of main is set: from now on its changes are made and approved with it." in said
    again = ready.ok("app", "add", "door", "--env", "live", "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    assert "is set" not in again


def test_an_ended_input_is_no_passphrase(live: Machine) -> None:
    assert live.run("app", "add", "other", "--passphrase-stdin").error == "no_answer"
    assert live.run("app", "add", "other", "--passphrase-stdin", typed=b"\xff\xfe\n").error == "input_not_text"
    assert live.run("app", "add", "other", "--passphrase-stdin", typed="x" * 5_000).error == "input_too_long"


@pytest.mark.parametrize("command", [["app", "list"], ["app", "add", "x"], ["approvals"], ["app", "adopt", "x"]])
def test_without_a_state_every_command_says_how_to_make_one(machine: Machine, command: list[str]) -> None:
    done = machine.run(*command)
    assert (done.code, done.error) == (1, "state_missing")
    assert "chekt-mcp init" in done.err
    assert "CHEKT_MCP_STATE" in done.err, "who has a state elsewhere must not make a second one"
    assert not machine.state.exists()


def test_the_rate_over_http_is_set_and_shown(ready: Machine) -> None:
    said = ready.ok("app", "http", "shop", "--rate", "enterprise")
    assert said.startswith("shop over HTTP: 3,000 calls a minute, 200 at once (enterprise).")
    assert "over HTTP: 3,000 calls a minute" in ready.ok("app", "show", "shop")
    assert ready.run("app", "http", "shop").error == "nothing_to_set"
