"""docs/audit-log-format.md is enough: its example is recomputed from its own text, without any code of this program."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PAGE = (Path(__file__).parent.parent / "docs" / "audit-log-format.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def hashes(kind: str) -> list[bytes]:
    (block,) = blocks(kind)
    return [bytes.fromhex(line) if kind in {"leaves", "proof"} else base64.b64decode(line) for line in block.split()]


LINES = blocks("jsonl")[0].splitlines()
LEAVES = hashes("leaves")


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def tree(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return node(tree(leaves[:left]), tree(leaves[left:]))


def checkpoint(number: int) -> tuple[str, int, bytes, str]:
    """Take a checkpoint apart: its text, size, root, and line of signature."""
    text, _, signature = blocks("checkpoint")[number].partition("\n\n")
    origin, size, root = text.split("\n")
    assert origin == "chekt-mcp/acme"
    return f"{text}\n", int(size), base64.b64decode(root), signature


def canonical(value: Any) -> str:
    """RFC 8785 for what the example holds: no numbers but short ones."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_every_line_is_canonical_and_numbered_in_order() -> None:
    entries = [json.loads(line) for line in LINES]
    assert [canonical(entry) for entry in entries] == LINES
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entry["timestamp"]) for entry in entries)
    assert all(re.fullmatch(r"[0-9a-f]{32}", entry["salt"]) for entry in entries)


def test_the_members_are_those_of_the_table() -> None:
    table = {name for row in re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert {name for line in LINES for name in json.loads(line)} == table


def test_the_leaf_hashes_are_those_of_the_lines() -> None:
    assert [sha256(b"\x00" + line.encode()).digest() for line in LINES] == LEAVES


@pytest.mark.parametrize("number", [0, 1])
def test_the_checkpoints_sign_the_trees_roots(number: int) -> None:
    text, size, root, signature = checkpoint(number)
    assert root == tree(LEAVES[:size])
    dash, name, content = signature.split()
    key_name, key_id, encoded = blocks("key")[0].strip().split("+", 2)
    public, signed = base64.b64decode(encoded), base64.b64decode(content)
    assert (dash, name, public[0]) == ("\u2014", key_name, 1)
    assert sha256(key_name.encode() + b"\n" + public).digest()[:4] == bytes.fromhex(key_id) == signed[:4]
    key = Ed25519PublicKey.from_public_bytes(public[1:])
    key.verify(signed[4:], text.encode())
    with pytest.raises(InvalidSignature):
        key.verify(signed[4:], text.encode().replace(b"acme", b"acmE"))


def test_the_inclusion_proof_leads_from_entry_2_to_the_root() -> None:
    """RFC 9162, 2.1.3.2, for leaf 1 of 5: a sibling left, then two right."""
    first, second, third = hashes("inclusion")
    assert node(node(node(first, LEAVES[1]), second), third) == checkpoint(1)[2]


def test_the_consistency_proof_leads_to_both_roots() -> None:
    """RFC 9162, 2.1.4.2, from 3 to 5: leaf 2, leaf 3, leaves 0 and 1, leaf 4."""
    third, fourth, two, fifth = hashes("consistency")
    assert node(two, third) == checkpoint(0)[2]
    assert node(node(two, node(third, fourth)), fifth) == checkpoint(1)[2]


def test_the_evidence_leads_to_the_root() -> None:
    entry_1, entries_3_and_4 = hashes("proof")
    second, fifth = (sha256(b"\x00" + LINES[number - 1].encode()).digest() for number in (2, 5))
    assert node(node(node(entry_1, second), entries_3_and_4), fifth) == checkpoint(1)[2]
