"""A marked value goes down every path on which a sink can fail; then it is looked for where it should not be."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chekt_mcp.errors import ChektError, DeliveryFailed, InvalidInput, SecretUnreadable
from chekt_mcp.secrets.command import CommandSink
from chekt_mcp.secrets.file import FileSink, read_key_file
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.secrets.key_encryption_key import load
from chekt_mcp.secrets.sealing import Sealer
from chekt_mcp.secrets.vault import VaultSink
from vault_server import Mount, Vault, Version, make_authority, serving

MARKER = "EXAMPLEMARKEREXAMPLEMARKEREXAMPLEMARKER"
VALUE = f"chekt_test_{MARKER}"
TOKEN = f"hvs.{MARKER}"
DATA, METADATA = "secret/data/chekt", "secret/metadata/chekt"


@pytest.fixture(autouse=True)
def nothing_logged_or_printed(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert MARKER not in caplog.text
    assert not any(MARKER in repr(vars(record)) for record in caplog.records)
    assert MARKER not in "".join(capfd.readouterr())


def everything_in(error: BaseException) -> Iterator[str]:
    """Everything an error reporter could print of an exception and of those behind it, short of local variables."""
    yield "".join(traceback.format_exception(error))
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, type):
            continue
        seen.add(id(item))
        yield repr(item)
        if isinstance(item, BaseException):
            waiting += [item.__cause__, item.__context__, *item.args]
            waiting += [getattr(item, name, None) for name in ("object", "doc", "request", "response")]
        if isinstance(item, list | tuple | set | frozenset):
            waiting += item
        waiting += list(item.items() if isinstance(item, dict) else getattr(item, "__dict__", {}).items())


def assert_silent(error: ChektError) -> None:
    for text in everything_in(error):
        assert MARKER not in text


def assert_fails_silently(sink: Sink) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        asyncio.run(sink.deliver(VALUE))
    assert_silent(caught.value)
    for text in (repr(sink), sink.target, sink.reference):
        assert MARKER not in text


def refuses(code: int) -> Callable[..., int]:
    def call(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename", "fchmod"])
def test_a_file_sink_that_fails_at_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(os, call, refuses(errno.EIO))
    assert_fails_silently(FileSink(tmp_path / "secrets" / "key", "the file"))
    monkeypatch.undo()
    assert list(tmp_path.rglob("*")) == []


def test_a_file_sink_whose_disk_takes_half_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def half(handle: int, content: bytes) -> int:
        monkeypatch.setattr(os, "write", refuses(errno.ENOSPC))
        return write(handle, content[:30])

    monkeypatch.setattr(os, "write", half)
    assert_fails_silently(FileSink(tmp_path / "key", "the file"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_held_a_secret_and_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(VALUE * 100)
    assert_fails_silently(FileSink(tmp_path / "key", "the file"))


@pytest.mark.parametrize(
    "script", ["cat; exit 1", "cat >&2; exit 1", "tee /dev/stderr; sleep 600", "exit 0", "tee /dev/stderr; kill -9 $$"]
)
def test_a_command_that_repeats_the_value(script: str) -> None:
    assert_fails_silently(CommandSink(("sh", "-c", script), None, 0.3, "the store"))


def test_a_command_that_cannot_be_started() -> None:
    assert_fails_silently(CommandSink(("/nowhere/store",), None, 5, "the store"))


@pytest.fixture
def vault() -> Vault:
    rules = {DATA: {"create", "patch"}, METADATA: {"read"}}
    return Vault(policies={TOKEN: ("", rules)}, mounts={("", "secret"): Mount()})


@pytest.fixture
def sink(vault: Vault, tmp_path: Path) -> Iterator[VaultSink]:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    with serving(vault) as address:
        yield VaultSink(address, "secret", "chekt", "api_key", token_file, timeout=2)


@pytest.mark.parametrize("status", [200, 204, 307, 400, 403, 404, 405, 412, 429, 500, 502, 503])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_vault_that_repeats_the_request_in_its_refusal(
    vault: Vault, sink: VaultSink, method: str, status: int
) -> None:
    if method == "PATCH":
        vault.mounts["", "secret"].secrets["chekt"] = [Version({"api_key": "old"})]
        vault.forced["POST"] = status
    vault.forced[method] = status
    if method == "GET" and status == 404:
        vault.sealed = True
    assert_fails_silently(sink)


@pytest.mark.parametrize("how", ["lost", "silent"])
def test_a_vault_that_does_not_answer(vault: Vault, sink: VaultSink, how: str) -> None:
    getattr(vault, how).add("POST")
    assert_fails_silently(replace(sink, timeout=0.3))


def test_a_vault_that_is_not_trusted_or_not_there(vault: Vault, sink: VaultSink, tmp_path: Path) -> None:
    with serving(vault, tls=make_authority(tmp_path)[1]) as address:
        assert_fails_silently(replace(sink, address=address))
    assert_fails_silently(replace(sink, address="http://127.0.0.1:1"))
    assert_fails_silently(replace(sink, ca_file=sink.token_file))


@pytest.mark.parametrize("content", [f"{TOKEN}\n{TOKEN}", f"{TOKEN}\N{SNOWMAN}", TOKEN * 200])
def test_a_token_file_that_cannot_be_used(sink: VaultSink, content: str) -> None:
    sink.token_file.write_text(content)
    assert_fails_silently(sink)


@pytest.mark.parametrize("content", [VALUE.encode() + b"\xff", VALUE.encode() * 200])
def test_a_key_file_that_cannot_be_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(InvalidInput) as caught:
        read_key_file(tmp_path / "key")
    assert_silent(caught.value)


@pytest.mark.parametrize("source", ["environment", "command", "file"])
def test_a_key_encryption_key_that_cannot_be_used(tmp_path: Path, source: str) -> None:
    (tmp_path / "kek").write_text(MARKER + "\N{SNOWMAN}")
    (tmp_path / "kek").chmod(0o600)
    encoded = MARKER if source == "environment" else None
    command = ("cat", str(tmp_path / "kek")) if source == "command" else None
    with pytest.raises(SecretUnreadable) as caught:
        load(file=tmp_path / "kek", encoded=encoded, command=command)
    assert_silent(caught.value)


def test_a_sealed_value_that_does_not_open() -> None:
    sealer = Sealer(b"k" * 32, lambda length: MARKER.encode()[:length])
    wrapped = sealer.new_data_key("acme")
    sealed = sealer.seal(wrapped, "acme", "key/1", VALUE)
    for key, identity in ((b"k" * 32, "key/2"), (b"o" * 32, "key/1")):
        with pytest.raises(SecretUnreadable) as caught:
            Sealer(key, os.urandom).open(wrapped, "acme", identity, sealed)
        assert_silent(caught.value)
    assert MARKER not in repr(sealer)
