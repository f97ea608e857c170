"""The manifest of an export: what the file holds, of which log, and who signed that.

The file is JSON with two members. `manifest` is the statement. `note` is a signed note (C2SP signed-note, Ed25519) by
the log's key over two lines: `chekt-mcp export manifest v1`, and the SHA-256 in hex of the `manifest` member as
canonical JSON (RFC 8785). White space and the order of members in the file therefore do not matter, and the note can
never be taken for a checkpoint, which has three lines and begins with the log's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, TypeVar

from chekt_mcp.domain.canonical_json import canonical_text
from chekt_mcp.domain.signed_note import Note, SigningKey, VerifierKey, read_note
from chekt_mcp.errors import InvalidInput

HEADER = "chekt-mcp export manifest v1"
LONGEST = 1024 * 1024
"""Bytes of a manifest that anybody may hand us."""


@dataclass(frozen=True, slots=True)
class FileStatement:
    """A file by its name, length in bytes and SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The statement. Moments are RFC 3339; `since` is inside the window, `until` is not.

    Attributes:
        apps: whose entries were asked for; `dealer_wide`: those of no app as well.
        filter: as in a search, in its one written form; empty for everything.
        first_seq, last_seq: numbers of the first and last entry exported; both 0 when there is none.
        log_size: how many entries of the log the checkpoint covers: every exported one is among them.
        checkpoint: the whole signed note. log_key: the verifier key it was signed with.
        proof: the file with the hashes between the entries, for an export made with proofs.
    """

    export_id: str
    dealer: str
    apps: list[str]
    dealer_wide: bool
    since: str
    until: str
    filter: dict[str, str]
    format: str
    fields: list[str]
    rows: int
    first_seq: int
    last_seq: int
    file: FileStatement
    proof: FileStatement | None
    log_size: int
    checkpoint: str
    log_key: str
    generator: str
    exported_at: str
    exported_by: str

    def digest(self) -> str:
        """Return the SHA-256 of the canonical statement, in hex."""
        return sha256(canonical_text(self._members()).encode()).hexdigest()

    def signed(self, key: SigningKey) -> str:
        """Return the content of the manifest's file."""
        note = key.sign(f"{HEADER}\n{self.digest()}\n")
        return json.dumps({"manifest": self._members(), "note": note}, ensure_ascii=False, indent=1) + "\n"

    def _members(self) -> dict[str, Any]:
        members = {field.name: getattr(self, field.name) for field in fields(self)}
        files = {name: None if members[name] is None else _file_members(members[name]) for name in ("file", "proof")}
        return {**members, **files}


S = TypeVar("S", Manifest, FileStatement)


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest as it was read; whose it is, `signed_by` tells."""

    manifest: Manifest
    note: Note

    def signed_by(self, key: VerifierKey) -> bool:
        """Tell whether this key signed exactly this statement."""
        return self.note.text == f"{HEADER}\n{self.manifest.digest()}\n" and self.note.signed_by(key)


def read_manifest(content: bytes) -> SignedManifest:
    """Read the content of a manifest's file. Members missing, unknown, twice there or of another type are refused.

    Raises:
        InvalidInput: code `bad_manifest`.
    """
    try:
        found = json.loads(content, object_pairs_hook=_members) if len(content) <= LONGEST else None
        if not isinstance(found, dict) or set(found) != {"manifest", "note"} or not isinstance(found["note"], str):
            raise _bad()
        return SignedManifest(_statement(found["manifest"]), read_note(found["note"]))
    except (ValueError, RecursionError, InvalidInput):
        raise _bad() from None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that stands twice: another reader would see another value than the one that was signed."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _bad()
    return members


def _statement(members: object) -> Manifest:
    if not isinstance(members, dict) or not {"file", "proof"} <= set(members):
        raise _bad()
    file, proof = _file(members["file"]), members["proof"]
    return _checked(Manifest, {**members, "file": file, "proof": None if proof is None else _file(proof)})


def _file(members: object) -> FileStatement:
    if not isinstance(members, dict):
        raise _bad()
    return _checked(FileStatement, members)


def _file_members(file: FileStatement) -> dict[str, object]:
    return {field.name: getattr(file, field.name) for field in fields(file)}


def _checked(kind: type[S], members: Mapping[str, Any]) -> S:
    """Make a statement of members that are exactly its own, each of its own type."""
    own = {field.name: str(field.type) for field in fields(kind)}
    if set(members) != set(own) or not all(_is(members[name], declared) for name, declared in own.items()):
        raise _bad()
    return kind(**members)


def _is(value: object, declared: str) -> bool:
    match declared:
        case "str":
            return isinstance(value, str)
        case "int":
            return type(value) is int and 0 <= value < 2**53
        case "bool":
            return isinstance(value, bool)
        case "list[str]":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "dict[str, str]":
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        case _:  # files are read before
            return value is None or isinstance(value, FileStatement)


def _bad() -> InvalidInput:
    return InvalidInput(
        "That is no manifest of an export.",
        field="manifest",
        code="bad_manifest",
        fix="Give the file that `chekt-mcp audit export` wrote beside the export, unchanged.",
    )
