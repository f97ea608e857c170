"""`chekt-mcp allow-list …`: what it says and asks; nothing changes without a person and the passphrase."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from chekt_mcp.config import from_environment
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.audit import Entry, Kind, Query
from chekt_mcp.domain.choice import any_of
from chekt_mcp.wiring import open_services
from storage_samples import BEGINNING, END
from terminal_child import PASSPHRASE, Machine

FIRST = "203.0.113.0/24  # office\n198.51.100.7\n"
SECOND = "203.0.113.0/24  # head office\n2001:db8:7::/48  # second site\n"


def versions(machine: Machine) -> list[AllowListVersion]:
    """Return every version, oldest first."""

    async def work() -> Sequence[AllowListVersion]:
        services = open_services(from_environment(machine.environment()))
        try:
            return await services.storage.read(lambda reader: reader.allow_list_history("main", "shop", 100))
        finally:
            await services.storage.close()

    return list(reversed(asyncio.run(work())))


def logged(machine: Machine) -> list[Entry]:
    """Return what operators did, oldest first."""

    async def work() -> Sequence[Entry]:
        services = open_services(from_environment(machine.environment()))
        query = Query("main", ("shop",), BEGINNING, END, kind=any_of(Kind.OPERATOR_ACTION))
        try:
            return await services.storage.read(lambda reader: reader.search(query, 100))
        finally:
            await services.storage.close()

    return list(reversed(asyncio.run(work())))


def file(machine: Machine, text: str | bytes) -> Path:
    path = machine.home / "list.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def put(machine: Machine, text: str, *more: str) -> str:
    """Put a list in force at a terminal, and return what was shown."""
    with machine.terminal("allow-list", "set", file(machine, text), *more) as screen:
        screen.answer("Type the app's name (shop): ", "shop")
    assert screen.code == 0, screen.screen
    return screen.screen


def test_a_person_puts_a_list_in_force_after_reading_what_it_does(ready: Machine) -> None:
    shown = put(ready, FIRST, "--reason", "moved in")
    assert "  | Put a new allow list in force for app shop (test); no list is in force" in shown
    assert "  | Added (2): 203.0.113.0/24, 198.51.100.7/32." in shown
    assert "  | Comment on 203.0.113.0/24 by the caller (not checked): office" in shown
    assert "  | The log holds no requests of the last 7 days to hold it against." in shown
    assert "In force." in shown
    (version,) = versions(ready)
    assert (version.version, version.enabled, version.text, version.reason) == (1, True, FIRST, "moved in")
    assert version.set_by.startswith("terminal:")
    assert [entry.action for entry in logged(ready)][-2:] == ["approval.approve", "allow_list.update"]


def test_wrong_texts_change_nothing(ready: Machine) -> None:
    with ready.terminal("allow-list", "set", file(ready, FIRST)) as screen:
        for wrong in ("Shop", "shop ", ""):
            screen.answer("Type the app's name (shop): ", wrong)
    assert screen.code == 1
    assert "error: wrong_text: " in screen.screen
    assert versions(ready) == []


def test_opening_to_everyone_takes_a_word_of_its_own(ready: Machine) -> None:
    with ready.terminal("allow-list", "set", file(ready, "0.0.0.0/0")) as screen:
        screen.expect("WARNING: this list allows EVERY address of a family")
        screen.answer("Type the app's name (shop): ", "shop")
        screen.answer("Type: open to everyone: ", "shop")
        screen.answer("Type the app's name (shop): ", "shop")
        screen.answer("Type: open to everyone: ", "open to everyone")
    assert screen.code == 0
    assert versions(ready)[0].text == "0.0.0.0/0"


def test_without_a_terminal_nothing_is_changed_and_everything_can_be_read(ready: Machine) -> None:
    put(ready, FIRST)
    for command in (("set", file(ready, SECOND)), ("revert", "1")):
        done = ready.run("allow-list", *command, typed="shop\n")
        if command[0] == "set":
            assert (done.code, done.error) == (1, "terminal_required")
    assert len(versions(ready)) == 1
    assert "203.0.113.0/24" in ready.ok("allow-list", "show")


def test_a_live_app_takes_the_passphrase_too(live: Machine) -> None:
    with live.terminal("allow-list", "set", file(live, FIRST)) as screen:
        screen.answer("Type the app's name (shop): ", "shop")
        screen.answer("Approver passphrase: ", "not the passphrase")
        screen.answer("Approver passphrase: ", PASSPHRASE)
    assert screen.code == 0
    assert PASSPHRASE not in screen.screen
    assert len(versions(live)) == 1


def test_a_wrong_passphrase_changes_nothing(live: Machine) -> None:
    with live.terminal("allow-list", "set", file(live, FIRST)) as screen:
        screen.answer("Type the app's name (shop): ", "shop")
        for _ in range(3):
            screen.answer("Approver passphrase: ", "not the passphrase")
    assert screen.code == 1
    assert versions(live) == []


def test_reverting_puts_an_earlier_version_in_force_as_a_new_one(ready: Machine) -> None:
    put(ready, FIRST)
    put(ready, SECOND)
    with ready.terminal("allow-list", "revert", "1") as screen:
        screen.expect("Removed (1): 2001:db8:7::/48.")
        screen.answer("Type the app's name (shop): ", "shop")
    assert screen.code == 0
    assert [(one.version, one.text, one.reason) for one in versions(ready)] == [
        (1, FIRST, "set at the terminal"),
        (2, SECOND, "set at the terminal"),
        (3, FIRST, "back to version 1"),
    ]
    assert "It is in force already" in ready.ok("allow-list", "revert", "1")
    done = ready.run("allow-list", "revert", "9")
    assert (done.code, done.error) == (1, "unknown_version")
    assert ready.run("allow-list", "revert", "-1").code == 2


def test_reverting_to_a_version_that_was_off_turns_the_layer_off(ready: Machine) -> None:
    put(ready, FIRST)
    (first,) = versions(ready)
    off = replace(first, version=2, enabled=False)

    async def add() -> None:
        services = open_services(from_environment(ready.environment()))
        await services.storage.write(lambda writer: writer.add_allow_list(off))
        await services.storage.close()

    asyncio.run(add())
    put(ready, FIRST)
    with ready.terminal("allow-list", "revert", "2") as screen:
        screen.expect("Turn the allow list OFF for app shop (test); version 3 is in force.")
        screen.answer("Type the app's name (shop): ", "shop")
    assert screen.code == 0
    assert [one.enabled for one in versions(ready)] == [True, False, True, False]
    assert "Allow list of shop: OFF" in ready.ok("allow-list", "show")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("203.0.113.5/24\n10.0.0.1 10.0.0.2\n", "bad_allow_list"),
        ("# nobody\n", "empty_allow_list"),
        (b"203.0.113.7 # caf\xe9\n", "input_not_text"),
        ("203.0.113.7".encode("utf-16"), "input_not_text"),
        ("203.0.113.7\0\n", "bad_allow_list"),
        ("x" * (1024 * 1024 + 1), "input_too_long"),
    ],
    ids=["malformed", "empty", "latin-1", "utf-16", "NUL", "too long"],
)
def test_a_file_that_is_no_list_is_refused_before_anything_is_asked(
    ready: Machine, text: str | bytes, code: str
) -> None:
    with ready.terminal("allow-list", "set", file(ready, text)) as screen:
        pass
    assert screen.code == 1
    assert f"error: {code}" in screen.screen
    assert len(screen.screen) < 1_000
    assert versions(ready) == []


def test_every_error_is_told_with_its_place(ready: Machine) -> None:
    done = ready.run("allow-list", "set", file(ready, "203.0.113.5/24\n010.0.0.1\n"))
    assert "Line 1, column 1, host_bits_set: " in done.err
    assert "Write 203.0.113.0/24." in done.err
    assert "Line 2, column 1, leading_zeros: " in done.err


def test_what_lives_at_chekt_is_changed_in_its_portal(machine: Machine) -> None:
    machine.ok("init", "--app", "till")
    key = "chekt_test_" + "EXAMPLE0" * 4
    machine.ok("app", "adopt", "shop", "--key-stdin", typed=f"{key}\n")
    done = machine.run("allow-list", "set", file(machine, FIRST), "--app", "shop")
    assert done.code == 1
    assert "1. In the dealer portal open Settings" in done.out
    assert "Nothing was changed" in done.out
    assert versions(machine) == []


def test_check_ends_with_0_only_when_every_address_is_let_in(ready: Machine) -> None:
    off = ready.run("allow-list", "check", "203.0.113.7")
    assert off.code == 1
    assert "no_allow_list" in off.out
    put(ready, FIRST)
    assert "203.0.113.7: allowed. Inside 203.0.113.0/24." in ready.ok("allow-list", "check", "203.0.113.7")
    assert ready.run("allow-list", "check", "::ffff:203.0.113.7", "198.51.100.7").code == 0
    for denied in (["198.51.100.8"], ["203.0.113.7", "198.51.100.8"], ["203.0.113.7", "nonsense"], ["2001:db8::1"]):
        assert ready.run("allow-list", "check", *denied).code == 1
    assert ready.run("allow-list", "check").code == 2


def test_history_and_diff_tell_what_changed_by_whom_and_why(ready: Machine) -> None:
    assert "shop never had an allow list." in ready.ok("allow-list", "history")
    put(ready, FIRST)
    put(ready, SECOND, "--reason", "second \u202esite")
    newest, oldest = ready.ok("allow-list", "history").splitlines()[1:]
    assert newest.split()[:1] + newest.split()[2:4] == ["2", "on", "2"]
    assert "terminal:" in newest
    assert newest.endswith("second \\u{202e}site")
    assert oldest.endswith("set at the terminal")
    changed = ready.ok("allow-list", "diff", "1").splitlines()
    assert changed[0].startswith("from version 1, on, since ")
    assert changed[1].startswith("to   version 2, on, since ")
    assert changed[2:] == [
        "- 198.51.100.7/32",
        "+ 2001:db8:7::/48  # second site",
        "~ 203.0.113.0/24  # office ->   # head office",
    ]
    assert "+ 198.51.100.7/32" in ready.ok("allow-list", "diff", "2", "1")
    assert "The entries are the same." in ready.ok("allow-list", "diff", "2")
    assert ready.run("allow-list", "diff", "7").error == "unknown_version"


def test_the_text_can_be_taken_edited_and_set_again(ready: Machine) -> None:
    put(ready, FIRST)
    text = ready.ok("allow-list", "show", "--text")
    assert text == FIRST
    put(ready, text + "192.0.2.9\n")
    assert versions(ready)[-1].text == FIRST + "192.0.2.9\n"


def test_show_tells_findings_and_hides_no_character_of_a_comment_from_a_person(ready: Machine) -> None:
    put(ready, "203.0.113.0/24 # o\u202effice\n10.0.0.0/8\n")
    shown = ready.ok("allow-list", "show")
    assert "Allow list of shop: version 1 in force since " in shown
    assert "warning never_matches_internet: " in shown
    assert "test_app_with_list" in shown
    with ready.terminal("allow-list", "show", "--text") as screen:
        pass
    assert "o\\u{202e}ffice" in screen.screen
    assert "\u202e" not in screen.screen


def test_an_app_must_be_named_when_there_are_several(ready: Machine) -> None:
    ready.ok("app", "add", "till")
    done = ready.run("allow-list", "show")
    assert (done.code, done.error) == (1, "app_required")
    assert "shop, till" in done.err
    assert "till" in ready.ok("allow-list", "show", "--app", "till")
    assert ready.run("allow-list", "show", "--app", "nobody").error == "unknown_app"
