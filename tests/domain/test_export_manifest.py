"""A manifest says exactly what was signed, and reads as a manifest or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import rfc8785

from chekt_mcp.domain.checkpoint import Checkpoint, read_checkpoint
from chekt_mcp.domain.export_manifest import FileStatement, Manifest, read_manifest
from chekt_mcp.domain.signed_note import SigningKey
from chekt_mcp.errors import InvalidInput

KEY = SigningKey("chekt-mcp/acme", b"s" * 32)
OTHER = SigningKey("chekt-mcp/acme", b"o" * 32)
MANIFEST = Manifest(
    export_id="exp_a",
    dealer="acme",
    apps=["shop"],
    dealer_wide=False,
    since="2026-06-01T00:00:00.000000Z",
    until="2026-07-01T00:00:00.000000Z",
    filter={"actor": "Bü\u2028ro", "result": "!ok"},
    format="csv",
    fields=["seq"],
    rows=2,
    first_seq=1,
    last_seq=2,
    file=FileStatement("a.csv", 7, "00" * 32),
    proof=None,
    log_size=2,
    checkpoint=Checkpoint("chekt-mcp/acme", 2, b"r" * 32).signed(KEY),
    log_key=str(KEY.verifier()),
    generator="chekt-mcp 0",
    exported_at="2026-07-01T00:00:00.000000Z",
    exported_by="terminal:root",
)


def content(manifest: Manifest = MANIFEST) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(manifest.signed(KEY))
    return read


def as_bytes(value: object) -> bytes:
    return json.dumps(value).encode()


def test_what_is_read_is_what_was_written_and_signed_by_its_key_alone() -> None:
    proof = replace(MANIFEST, proof=FileStatement("a.proof", 32, "11" * 32))
    for manifest in (MANIFEST, proof):
        signed = read_manifest(manifest.signed(KEY).encode())
        assert signed.manifest == manifest
        assert signed.signed_by(KEY.verifier())
        assert not signed.signed_by(OTHER.verifier())


def test_the_note_is_over_the_canonical_json_of_the_manifest() -> None:
    found = content()
    digest = sha256(rfc8785.dumps(found["manifest"])).hexdigest()
    assert found["note"].startswith(f"chekt-mcp export manifest v1\n{digest}\n\n— chekt-mcp/acme ")


def test_white_space_and_order_do_not_matter() -> None:
    found = content()
    turned = {"note": found["note"], "manifest": dict(reversed(found["manifest"].items()))}
    assert read_manifest(as_bytes(turned)).signed_by(KEY.verifier())


def test_a_note_of_a_manifest_is_no_checkpoint() -> None:
    with pytest.raises(InvalidInput):
        read_checkpoint(content()["note"])


@pytest.mark.parametrize("member", list(content()["manifest"]))
def test_every_member_is_signed_and_must_be_there(member: str) -> None:
    found = content()
    value = found["manifest"][member]
    altered = {str: "x", int: 99, bool: True, list: ["x"], dict: {"x": "y"}, type(None): found["manifest"]["file"]}
    found["manifest"][member] = {**value, "bytes": 8} if member == "file" else altered[type(value)]
    assert not read_manifest(as_bytes(found)).signed_by(KEY.verifier())
    del found["manifest"][member]
    with pytest.raises(InvalidInput):
        read_manifest(as_bytes(found))


@pytest.mark.parametrize(
    "altered",
    [
        {"rows": "2"},
        {"rows": 2.0},
        {"rows": True},
        {"rows": -1},
        {"apps": "shop"},
        {"apps": [1]},
        {"filter": {"a": 1}},
        {"file": "a.csv"},
        {"file": {"name": "a", "bytes": 1}},
        {"proof": False},
        {"extra": 1},
        {"dealer_wide": 0},
    ],
)
def test_another_type_or_an_unknown_member_is_no_manifest(altered: dict[str, Any]) -> None:
    found = content()
    with pytest.raises(InvalidInput) as caught:
        read_manifest(as_bytes({**found, "manifest": {**found["manifest"], **altered}}))
    assert caught.value.code == "bad_manifest"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"manifest":{},"note":""}', b" " * 2**21]
)
def test_anything_else_is_no_manifest(text: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_manifest(text)
    assert caught.value.code == "bad_manifest"


@pytest.mark.parametrize("member", ['"manifest"', '"rows"', '"sha256"'])
def test_a_member_that_stands_twice_is_no_manifest_for_another_reader_may_take_the_other(member: str) -> None:
    content = MANIFEST.signed(KEY).replace(member, f"{member}: {{}}, {member}", 1)
    with pytest.raises(InvalidInput) as caught:
        read_manifest(content.encode())
    assert caught.value.code == "bad_manifest"
