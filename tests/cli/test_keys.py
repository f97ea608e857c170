"""`chekt-mcp keys …`: what only a person does about keys, and what it leaves behind."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.config import from_environment
from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.app import Environment
from chekt_mcp.domain.rotation import DELIVERY_LEASE, REVEALABLE, Rotation, RotationState
from chekt_mcp.operations.keys.key_material import key_pair
from chekt_mcp.operations.keys.rotation_steps import seal_new_key
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.file import FileSink
from chekt_mcp.storage.interface import Writer
from chekt_mcp.wiring import open_services
from terminal_child import PASSPHRASE, Machine

KEY = "chekt_test_EXAMPLEexample0000000000000000AAAA"
NEW_KEY = "chekt_test_EXAMPLEexample0000000000000000BBBB"


def on_state(machine: Machine, work: Any) -> Any:
    async def run() -> Any:
        services = open_services(from_environment(machine.environment()))
        try:
            return await work(services)
        finally:
            await services.storage.close()

    return asyncio.run(run())


def rotations_of(machine: Machine) -> list[tuple[str, str, bool]]:
    with closing(sqlite3.connect(machine.state / "chekt.db")) as connection:
        return connection.execute("SELECT rotation_id, state, sealed IS NOT NULL FROM rotations").fetchall()


def left_behind(machine: Machine, environment: Environment = Environment.TEST) -> tuple[Rotation, str]:
    """Leave a rotation of `shop` undecided, as a lost answer of its sink does; return it with its key."""
    place = FileSink(machine.secrets / "main" / "shop.api_key", "main/shop.api_key in the secrets directory")

    async def work(services: Services) -> tuple[Rotation, str]:
        pair = await services.storage.read(lambda reader: key_pair(reader, "main", "shop", KeyKind.API_KEY))
        assert pair.current is not None
        value, now = api_key.mint(KeyKind.API_KEY, environment, services.random), services.clock()
        started = sample.rotation(
            "rot_aaaaaaaaaaaaaaaaaaaa",
            dealer="main",
            old_key_id=pair.current.key.key_id,
            new_key_id="key_new",
            sink=place.name,
            target=place.target,
            started_at=now,
            lease_until=now + DELIVERY_LEASE,
            state=RotationState.DELIVERY_UNKNOWN,
            ended_at=now,
        )
        rotation, key = await seal_new_key(services, started, value)

        async def store(writer: Writer) -> None:
            await writer.add_key(key)
            await writer.add_rotation(rotation)

        await services.storage.write(store)
        return rotation, value

    found: tuple[Rotation, str] = on_state(machine, work)
    return found


def delivered(machine: Machine) -> tuple[Rotation, str]:
    """Leave a completed rotation of `shop`, whose key nothing has used yet."""
    rotation, value = left_behind(machine)
    machine.ok("keys", "deliver", rotation.rotation_id)
    return rotation, value


def in_force(machine: Machine) -> Key:
    async def work(services: Services) -> Key:
        pair = await services.storage.read(lambda reader: key_pair(reader, "main", "shop", KeyKind.API_KEY))
        assert pair.current is not None
        return pair.current.key

    found: Key = on_state(machine, work)
    return found


def file_of(machine: Machine) -> str:
    return (machine.secrets / "main" / "shop.api_key").read_text().strip()


def test_delivering_again_puts_the_same_key_in_its_place_and_in_force(ready: Machine) -> None:
    rotation, value = left_behind(ready)
    assert "keys deliver rot_" in ready.run("doctor").out
    said = ready.ok("keys", "deliver", rotation.rotation_id)
    assert f"{api_key.fingerprint(value)} is the api_key of shop now" in said
    assert value not in said
    assert file_of(ready) == value
    assert (in_force(ready).key_id, in_force(ready).state) == ("key_new", KeyState.CURRENT)
    assert ready.run("keys", "deliver", rotation.rotation_id).error == "rotation_over"


def test_what_cannot_be_delivered_stays_undecided(ready: Machine) -> None:
    rotation, _ = left_behind(ready)
    (ready.secrets / "main" / "shop.api_key").unlink()
    (ready.secrets / "main" / "shop.api_key").mkdir()
    done = ready.run("keys", "deliver", rotation.rotation_id)
    assert (done.code, done.error) == (1, "delivery_failed")
    assert rotations_of(ready) == [(rotation.rotation_id, "delivery_unknown", True)]
    assert in_force(ready).key_id == rotation.old_key_id


def test_what_is_given_up_never_opens_anything_and_leaves_no_copy(ready: Machine) -> None:
    rotation, value = left_behind(ready)
    ready.ok("keys", "discard", rotation.rotation_id)
    assert rotations_of(ready) == [(rotation.rotation_id, "failed", False)]
    assert in_force(ready).key_id == rotation.old_key_id
    assert "revoked and opens nothing" in ready.ok("keys", "identify", typed=value)
    assert ready.run("keys", "discard", rotation.rotation_id).error == "rotation_over"


def test_a_lost_key_is_shown_once_to_a_person_and_its_copy_destroyed(ready: Machine) -> None:
    rotation, value = delivered(ready)
    with ready.terminal("keys", "reveal", rotation.rotation_id) as person:
        person.expect(value)
    assert rotations_of(ready) == [(rotation.rotation_id, "completed", False)]
    with ready.terminal("keys", "reveal", rotation.rotation_id) as person:
        person.expect("not_revealable")
    assert value not in person.screen


def test_a_key_is_never_revealed_without_a_terminal(ready: Machine) -> None:
    rotation, value = delivered(ready)
    done = ready.run("keys", "reveal", rotation.rotation_id)
    assert done.error == "terminal_required"
    assert value not in done.out + done.err


def test_a_used_key_is_not_revealed(ready: Machine) -> None:
    rotation, value = delivered(ready)
    entry = sample.entry(dealer="main", key_id="key_new", at=sample.NOW)
    on_state(ready, lambda services: services.storage.write(lambda writer: writer.append([entry])))
    with ready.terminal("keys", "reveal", rotation.rotation_id) as person:
        person.expect("not_revealable")
    assert value not in person.screen
    assert rotations_of(ready) == [(rotation.rotation_id, "completed", False)]


def test_after_an_hour_a_key_is_not_revealed(ready: Machine) -> None:
    rotation, value = delivered(ready)

    async def an_hour_ago(services: Services) -> None:
        stored = await services.storage.read(lambda reader: reader.rotation("main", rotation.rotation_id))
        assert stored is not None
        older = replace(stored, ended_at=services.clock() - REVEALABLE)
        await services.storage.write(lambda writer: writer.update_rotation(older))

    on_state(ready, an_hour_ago)
    with ready.terminal("keys", "reveal", rotation.rotation_id) as person:
        person.expect("not_revealable")
    assert value not in person.screen
    ready.run("doctor")
    assert rotations_of(ready) == [(rotation.rotation_id, "completed", False)]


def test_a_key_that_is_not_in_force_is_not_revealed(ready: Machine) -> None:
    rotation, value = left_behind(ready)
    with ready.terminal("keys", "reveal", rotation.rotation_id) as person:
        person.expect("keys deliver")
    assert value not in person.screen


@pytest.mark.parametrize("action", ["deliver", "discard", "reveal"])
def test_an_unknown_rotation_is_unknown(ready: Machine, action: str) -> None:
    with ready.terminal("keys", action, "rot_guessed") as person:
        person.expect("unknown_rotation")


@pytest.mark.parametrize(
    "command",
    [
        ("keys", "deliver", "rot_aaaaaaaaaaaaaaaaaaaa"),
        ("keys", "discard", "rot_aaaaaaaaaaaaaaaaaaaa"),
        ("keys", "adopt", "portal"),
        ("keys", "gone", "shop", "192.0.2.7"),
        ("app", "confirm", "shop", "client"),
        ("app", "confirm", "shop", "--unattended", "shop"),
        ("app", "scopes", "shop", "--add", "keys:read"),
        ("app", "add", "other"),
        ("app", "adopt", "other", "--key-stdin"),
        ("audit", "import", "export.csv"),
    ],
)
def test_with_a_passphrase_set_no_command_changes_anything_without_it(live: Machine, command: tuple[str, ...]) -> None:
    left_behind(live, Environment.LIVE)
    (live.home / "export.csv").write_text("timestamp\n")
    before = rotations_of(live)
    assert live.run(*command).error == "passphrase_required"
    assert rotations_of(live) == before


def test_revealing_asks_for_the_passphrase(live: Machine) -> None:
    rotation, value = left_behind(live, Environment.LIVE)
    live.ok("keys", "deliver", rotation.rotation_id, "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    with live.terminal("keys", "reveal", rotation.rotation_id) as person:
        for _ in range(3):
            person.answer("Approver passphrase: ", "not the passphrase")
    assert value not in person.screen
    with live.terminal("keys", "reveal", rotation.rotation_id) as person:
        person.answer("Approver passphrase: ", PASSPHRASE)
        person.expect(value)


def test_adopting_a_key_starts_the_24_hours_of_the_old_one(ready: Machine) -> None:
    ready.ok("app", "adopt", "portal", "--key-stdin", "--key-id", "key_at_chekt", typed=KEY + "\n")
    said = ready.ok("keys", "adopt", "portal", "--key-stdin", "--key-id", "key_at_chekt_2", typed=NEW_KEY + "\n")
    assert "chekt_test_…BBBB is the current one now. The one before counts as valid here until" in said
    shown = ready.ok("app", "show", "portal")
    assert "chekt_test_…BBBB key_at_chekt_2, current" in shown
    assert "chekt_test_…AAAA key_at_chekt, previous" in shown


def test_a_person_adopting_a_key_is_not_asked_for_a_list(ready: Machine) -> None:
    ready.ok("app", "adopt", "portal", "--key-stdin", typed=KEY + "\n")
    with ready.terminal("keys", "adopt", "portal") as person:
        person.answer("API key (Enter keeps the known one): ", NEW_KEY)
        person.answer("Webhook signing secret (Enter keeps the known one): ", "")
        person.expect("chekt_test_…BBBB is the current one now")
    assert "Allow list" not in person.screen


@pytest.mark.parametrize("key_id", ["", "a b", "x" * 65, "a/b"])
def test_a_key_id_that_is_none_is_refused(ready: Machine, key_id: str) -> None:
    done = ready.run("app", "adopt", "portal", "--key-stdin", "--key-id", key_id, typed=KEY + "\n")
    assert done.error == "bad_key_id"


def test_a_source_that_is_gone_is_kept_in_its_usual_form_and_can_come_back(ready: Machine) -> None:
    assert "192.0.2.7 is gone" in ready.ok("keys", "gone", "shop", "::ffff:192.0.2.7")
    assert "counts as a source again" in ready.ok("keys", "gone", "shop", "192.0.2.7", "--undo")
    assert "Nobody had said" in ready.ok("keys", "gone", "shop", "192.0.2.7", "--undo")
    assert ready.run("keys", "gone", "shop", "a\x1bb").error == "bad_source"
    assert ready.run("keys", "gone", "other", "192.0.2.7").error == "unknown_app"


def test_a_found_key_is_named_without_being_shown(ready: Machine) -> None:
    value = file_of(ready)
    done = ready.run("keys", "identify", typed=value + "\n")
    assert done.code == 0
    assert "is the api_key of app shop, dealer main.\nIt is the current one." in done.out
    assert value not in done.out + done.err


def test_a_found_signing_secret_is_named(ready: Machine) -> None:
    secret = (ready.secrets / "main" / "shop.signing_secret").read_text().strip()
    assert "is the signing_secret of app shop" in ready.ok("keys", "identify", typed=secret)


@pytest.mark.parametrize(
    "value",
    [KEY, "chekt_whsec_test_EXAMPLEexample0000000000000000CCCC", "chekt_live_EXAMPLEexample0000000000000000EEEE"],
)
def test_a_key_that_is_nobodys_is_said_to_be_unknown(ready: Machine, value: str) -> None:
    done = ready.run("keys", "identify", typed=value)
    assert done.code == 1
    assert "is not known here" in done.out
    assert value not in done.out + done.err


@pytest.mark.parametrize("text", ["", "hunter2", "chekt_test_short"])
def test_what_has_not_the_form_of_a_key_is_refused(ready: Machine, text: str) -> None:
    assert ready.run("keys", "identify", typed=text).error in {"malformed_key", "no_answer"}


def test_a_key_as_an_argument_is_refused(ready: Machine) -> None:
    assert ready.run("keys", "identify", KEY).error == "key_in_arguments"


def test_unattended_is_for_test_apps_and_known_callers_only(ready: Machine) -> None:
    ready.ok("app", "add", "nightly")
    assert "nightly may change shop without anybody being asked" in ready.ok(
        "app", "confirm", "shop", "--unattended", "nightly"
    )
    assert "confirm: client; unattended: nightly" in ready.ok("app", "show", "shop")
    assert "Nobody changes shop" in ready.ok("app", "confirm", "shop", "--unattended", "")
    assert ready.run("app", "confirm", "shop", "--unattended", "stranger").error == "unknown_app"
    assert ready.run("app", "confirm", "shop").error == "nothing_to_set"


def test_a_live_app_is_never_unattended(live: Machine) -> None:
    done = live.run("app", "confirm", "shop", "--unattended", "shop", "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    assert done.error == "live_app"
