"""`chekt-mcp app adopt`: what exists at CHeKT comes in from files, standard input or a person, never as an argument."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from terminal_child import PASSPHRASE, Machine

KEY = "chekt_test_EXAMPLEexample0000000000000000AAAA"
NEW_KEY = "chekt_test_EXAMPLEexample0000000000000000BBBB"
SECRET = "chekt_whsec_test_EXAMPLEexample0000000000000000CCCC"  # noqa: S105 -- an example
NEW_SECRET = "chekt_whsec_test_EXAMPLEexample0000000000000000DDDD"  # noqa: S105 -- an example
LIVE_KEY = "chekt_live_EXAMPLEexample0000000000000000EEEE"


def holding(path: Path, text: str) -> Path:
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def test_files_are_adopted_and_no_value_is_kept_in_clear_or_printed(ready: Machine) -> None:
    key, secret = holding(ready.home / "key", KEY), holding(ready.home / "secret", SECRET)
    allowed = holding(ready.home / "list", "203.0.113.7 # office")
    sources: list[str | Path] = ["--key-file", key, "--signing-secret-file", secret, "--allow-list", allowed]
    done = ready.run("app", "adopt", "portal", *sources)
    assert done.code == 0
    assert KEY not in done.out + done.err
    assert "portal (test, platform)" in ready.ok("app", "show", "portal")
    assert f'"CHEKT_API_KEY_FILE": "{key}"' in done.out
    stored = b"".join(path.read_bytes() for path in ready.state.rglob("*") if path.is_file())
    assert KEY.encode() not in stored
    assert SECRET.encode() not in stored


def test_revoking_what_a_first_adoption_cannot_replace_is_refused_and_adopts_nothing(ready: Machine) -> None:
    done = ready.run("app", "adopt", "portal", "--key-stdin", "--revoke-previous", typed=KEY + "\n")
    assert done.code == 1
    assert "nothing_to_revoke" in done.err
    assert ready.run("app", "show", "portal").code == 1


def test_the_person_who_replaces_ends_the_old_key_here_at_once_if_they_say_so(ready: Machine) -> None:
    ready.ok("app", "adopt", "portal", "--key-stdin", typed=KEY + "\n")
    other = KEY[:-4] + "BBBB"
    said = ready.ok("keys", "adopt", "portal", "--key-stdin", "--revoke-previous", typed=other + "\n")
    assert "The one before opens nothing here any more" in said


def test_a_key_without_our_checksum_is_taken_with_advice_to_compare(ready: Machine) -> None:
    done = ready.run("app", "adopt", "portal", "--key-stdin", typed=KEY + "\n")
    assert done.code == 0
    assert "note: The API key chekt_test_…AAAA has no checksum of ours" in done.err


def test_standard_input_brings_passphrase_key_secret_and_list_in_that_order(ready: Machine) -> None:
    typed = f"{PASSPHRASE}\n{LIVE_KEY}\n{SECRET.replace('test', 'live')}\n203.0.113.7\n198.51.100.0/24\n"
    sources = ["--passphrase-stdin", "--key-stdin", "--signing-secret-stdin", "--allow-list", "-"]
    ready.ok("app", "adopt", "portal", *sources, typed=typed)
    shown = ready.ok("app", "show", "portal")
    assert "portal (live, platform)" in shown
    assert "version 1, 2 entries" in shown
    assert "confirm: out_of_band" in shown


def test_a_person_pastes_at_hidden_prompts(ready: Machine) -> None:
    with ready.terminal("app", "adopt", "portal") as person:
        person.answer("API key: ", KEY)
        person.answer("Webhook signing secret (Enter leaves it out): ", SECRET)
        person.expect("Allow list")
        person.type("203.0.113.7")
        person.type("198.51.100.0/24")
        person.type("")
        person.expect("CHeKT stays in charge of it")
    assert person.code == 0
    assert KEY not in person.screen
    assert SECRET not in person.screen
    assert "version 1, 2 entries" in ready.ok("app", "show", "portal")


def test_a_live_key_pasted_by_a_person_leads_to_the_question_for_a_passphrase(ready: Machine) -> None:
    with ready.terminal("app", "adopt", "portal") as person:
        person.answer("API key: ", LIVE_KEY)
        person.answer("Webhook signing secret", "")
        person.answer("Allow list", "")
        person.answer("New approver passphrase", PASSPHRASE)
        person.answer("The same again", PASSPHRASE)
        person.expect("allow list: none given")
    assert person.code == 0


def test_a_live_key_without_passphrase_and_terminal_is_refused(ready: Machine) -> None:
    done = ready.run("app", "adopt", "portal", "--key-stdin", typed=LIVE_KEY + "\n")
    assert (done.code, done.error) == (1, "passphrase_required")
    assert "portal" not in ready.ok("app", "list")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("not a key", "malformed_key"),
        ("chekt_test_short", "malformed_key"),
        (f"'{KEY}'", "malformed_key"),
        (SECRET, "malformed_key"),
        ("", "malformed_key"),
    ],
)
def test_what_is_no_key_is_refused_and_not_echoed(ready: Machine, typed: str, error: str) -> None:
    done = ready.run("app", "adopt", "portal", "--key-stdin", typed=typed + "\n")
    assert (done.code, done.error) == (1, error)
    assert not typed or typed not in done.err
    assert "portal" not in ready.ok("app", "list")


def test_key_and_secret_of_different_environments_do_not_belong_together(ready: Machine) -> None:
    done = ready.run("app", "adopt", "portal", "--key-stdin", "--signing-secret-stdin", typed=f"{LIVE_KEY}\n{SECRET}\n")
    assert (done.code, done.error) == (1, "mixed_environments")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["portal"], "key_missing"),
        (["portal", "--key-file", "missing"], "key_file_missing"),
        (["shop", "--replace"], "nothing_to_adopt"),
        (["Portal"], "bad_name"),
    ],
)
def test_without_a_terminal_a_source_is_needed(ready: Machine, arguments: list[str], error: str) -> None:
    done = ready.run("app", "adopt", *arguments)
    assert (done.code, done.error) == (1, error)


def test_a_key_file_that_everybody_can_read_is_refused(ready: Machine) -> None:
    key = holding(ready.home / "key", KEY)
    key.chmod(0o644)
    assert ready.run("app", "adopt", "portal", "--key-file", key).error == "key_file_too_open"


def test_a_key_that_is_known_here_is_not_adopted_as_another_app(ready: Machine) -> None:
    own = (ready.secrets / "main" / "shop.api_key").read_text()
    done = ready.run("app", "adopt", "portal", "--key-stdin", typed=own)
    assert done.code == 1
    assert "portal" not in ready.ok("app", "list")


def test_replacing_starts_the_grace_of_the_old_key_and_keeps_what_was_not_brought(ready: Machine) -> None:
    ready.ok("app", "adopt", "portal", "--key-stdin", "--signing-secret-stdin", typed=f"{KEY}\n{SECRET}\n")
    said = ready.ok("app", "adopt", "portal", "--replace", "--key-stdin", typed=NEW_KEY + "\n")
    assert "chekt_test_…BBBB is the current one now" in said
    shown = ready.ok("app", "show", "portal")
    assert re.search(r"api_key: chekt_test_…AAAA \S+ previous, .* works until ", shown)
    assert "signing_secret: chekt_whsec_test_…CCCC" in shown
    assert "previous" not in shown.split("signing_secret")[1]


def test_replacing_with_what_is_known_changes_nothing(ready: Machine) -> None:
    typed = f"{KEY}\n{SECRET}\n203.0.113.7\n"
    sources = ["--key-stdin", "--signing-secret-stdin", "--allow-list", "-"]
    ready.ok("app", "adopt", "portal", *sources, typed=typed)
    before = ready.ok("app", "show", "portal")
    assert "nothing was changed" in ready.ok("app", "adopt", "portal", "--replace", *sources, typed=typed)
    assert ready.ok("app", "show", "portal") == before


def test_a_person_who_replaces_presses_enter_for_what_stays(ready: Machine) -> None:
    ready.ok("app", "adopt", "portal", "--key-stdin", "--signing-secret-stdin", typed=f"{KEY}\n{SECRET}\n")
    with ready.terminal("app", "adopt", "portal", "--replace") as person:
        person.answer("API key (Enter keeps the known one): ", "")
        person.answer("Webhook signing secret (Enter keeps the known one): ", NEW_SECRET)
        person.answer("Allow list", "")
        person.expect("chekt_whsec_test_…DDDD is the current one now")
    assert person.code == 0


def test_only_the_list_is_replaced_when_only_a_list_is_given(ready: Machine) -> None:
    ready.ok("app", "adopt", "portal", "--key-stdin", typed=KEY + "\n")
    said = ready.ok("app", "adopt", "portal", "--replace", "--allow-list", "-", typed="203.0.113.7\n")
    assert "version 1 is what checks here use" in said
    bad = ready.run("app", "adopt", "portal", "--replace", "--allow-list", "-", typed="203.0.113.777\n")
    assert (bad.code, bad.error) == (1, "bad_allow_list")


@pytest.mark.parametrize(
    ("arguments", "typed", "error"),
    [
        (["shop"], KEY, "not_a_platform_app"),
        (["nobody"], KEY, "unknown_app"),
        (["portal"], LIVE_KEY, "mixed_environments"),
        (["portal", "--scopes", "keys:read"], KEY, "not_with_replace"),
        (["portal", "--confirm", "client"], KEY, "not_with_replace"),
    ],
)
def test_replacing_keeps_to_platform_apps_and_their_credentials(
    ready: Machine, arguments: list[str], typed: str, error: str
) -> None:
    ready.ok("app", "adopt", "portal", "--key-stdin", typed=KEY + "\n")
    done = ready.run("app", "adopt", "--replace", "--key-stdin", *arguments, typed=typed + "\n")
    assert (done.code, done.error) == (1, error)
