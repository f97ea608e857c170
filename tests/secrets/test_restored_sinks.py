from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.secrets.command import CommandSink
from chekt_mcp.secrets.file import FileSink
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.secrets.sinks import restore
from chekt_mcp.secrets.vault import VaultSink

words = st.text(st.characters(exclude_characters="\x00", codec=None), min_size=1, max_size=20)
VAULT = VaultSink("https://vault.example.com:8200", "secret", "chekt/front-desk", "api_key", Path("/run/token"))


@given(words, words)
def test_a_file_sink_is_found_again_whatever_its_name(name: str, reference: str) -> None:
    sink = FileSink(Path("/") / name, reference)
    assert sink.target.isascii()
    assert restore(sink.name, sink.target) == sink


def test_a_relative_path_is_found_again_from_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    target = FileSink(Path("key"), "the file").target
    monkeypatch.chdir("/")
    assert restore("file", target) == FileSink(tmp_path / "key", "the file")


@given(st.lists(words, min_size=1).map(tuple), st.none() | st.lists(words, min_size=1).map(tuple), st.floats(0.1, 99))
def test_a_command_sink_is_found_again(argv: tuple[str, ...], check: tuple[str, ...] | None, timeout: float) -> None:
    sink = CommandSink(argv, check, timeout, "the store")
    assert restore(sink.name, sink.target) == sink


@pytest.mark.parametrize(
    "sink",
    [VAULT, replace(VAULT, namespace="acme/alarm", ca_file=Path("/etc/ca.pem"), check_and_set=False, timeout=3.5)],
)
def test_a_vault_sink_is_found_again(sink: VaultSink) -> None:
    assert restore(sink.name, sink.target) == sink


@pytest.mark.parametrize("sink", [FileSink(Path("/k"), "r"), CommandSink(("a",), None, 5, "r"), VAULT])
def test_a_target_is_the_same_text_each_time(sink: Sink) -> None:
    assert restore(sink.name, sink.target).target == sink.target


@pytest.mark.parametrize("name", ["file", "command", "vault", "", "carrier pigeon"])
@pytest.mark.parametrize(
    "target", ["", "null", "[]", "{}", "{", '"text"', '{"path": 5, "reference": "r"}', '{"argv": [], "check": null}']
)
def test_a_record_that_no_sink_wrote_is_refused(name: str, target: str) -> None:
    with pytest.raises(DeliveryFailed, match="cannot be read"):
        restore(name, target)


def test_a_record_with_settings_no_longer_taken_is_refused() -> None:
    changed = json.dumps(json.loads(VAULT.target) | {"address": "http://vault.example.com"})
    with pytest.raises(DeliveryFailed):
        restore("vault", changed)


def test_a_restored_sink_delivers(tmp_path: Path) -> None:
    sink = restore("file", FileSink(tmp_path / "key", "the file").target)
    asyncio.run(sink.deliver("EXAMPLE"))
    assert (tmp_path / "key").read_text() == "EXAMPLE\n"
