"""The configured place for new keys: filled in with names, found again after a crash, and no other place than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.config import CommandSetting, VaultSetting
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.rotation import Rotation
from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.operations.keys.recovery import recorded_sink
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.command import CommandSink
from chekt_mcp.secrets.file import FileSink
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.secrets.vault import VaultSink
from chekt_mcp.wiring import ConfiguredSinks

FILES = ConfiguredSinks(Path("/secrets"), Path("/session/key"))
COMMAND = CommandSetting(("store", "--in={dealer}", "{app}", "CHEKT_{KIND}"), ("look", "{app}"), 7)
VAULT = VaultSetting(
    "https://vault.example.com", Path("/run/token"), "kv", "chekt/{dealer}/{app}", "{kind}", "team", None, 7
)


def chosen(
    setting: CommandSetting | VaultSetting | None, kind: KeyKind = KeyKind.API_KEY, *, own: bool = False
) -> Sink:
    return replace(FILES, setting=setting).choose("acme", "shop", kind, own=own)


def test_without_a_setting_keys_go_to_files_and_this_sessions_to_its_own() -> None:
    assert chosen(None) == FileSink(Path("/secrets/acme/shop.api_key"), "acme/shop.api_key in the secrets directory")
    own = chosen(None, own=True)
    assert isinstance(own, FileSink)
    assert own.path == Path("/session/key")


@pytest.mark.parametrize("own", [True, False])
def test_a_command_gets_the_names_of_what_it_stores(own: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    sink = chosen(COMMAND, KeyKind.SIGNING_SECRET, own=own)
    assert isinstance(sink, CommandSink)
    assert sink.argv == ("store", "--in=acme", "shop", "CHEKT_SIGNING_SECRET")
    assert (sink.check, sink.timeout) == (("look", "shop"), 7.0)
    assert sink.reference == "the configured command, for acme/shop.signing_secret"


def test_vault_gets_a_path_and_field_for_each_key() -> None:
    sink = chosen(VAULT)
    assert isinstance(sink, VaultSink)
    assert (sink.path, sink.field, sink.mount, sink.namespace) == ("chekt/acme/shop", "api_key", "kv", "team")


def recorded(sink: Sink) -> Rotation:
    return replace(sample.rotation(), sink=sink.name, target=sink.target)


def services(setting: CommandSetting | VaultSetting | None) -> Services:
    def unused() -> datetime:
        return datetime.now(UTC)

    return Services(None, None, replace(FILES, setting=setting), unused, bytes)  # type: ignore[arg-type]  # sinks alone


@pytest.mark.parametrize("setting", [COMMAND, VAULT, None])
def test_a_recorded_place_is_found_again(setting: CommandSetting | VaultSetting | None) -> None:
    sink = chosen(setting)
    assert recorded_sink(services(setting), recorded(sink)) == sink


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (COMMAND, replace(COMMAND, argv=("other", *COMMAND.argv[1:]))),
        (COMMAND, replace(COMMAND, check=("other",))),
        (COMMAND, None),
        (VAULT, replace(VAULT, address="https://other.example.com")),
        (VAULT, COMMAND),
    ],
)
def test_no_program_is_run_and_no_token_sent_that_is_not_configured_any_more(
    then: CommandSetting | VaultSetting, now: CommandSetting | VaultSetting | None
) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        recorded_sink(services(now), recorded(chosen(then)))
    assert refused.value.code == "sink_changed"
