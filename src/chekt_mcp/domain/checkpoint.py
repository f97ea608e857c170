"""Checkpoints (C2SP tlog-checkpoint): a signed note that says how many entries a log has, and its tree's root.

Three lines: the log's name (its origin, which is also the name of its key), the size in decimal, the root in base64.
Further lines are extensions; they are signed like the rest, and none of ours has any.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import quote

from chekt_mcp.domain.merkle import HASH_LENGTH
from chekt_mcp.domain.signed_note import Note, SigningKey, VerifierKey, read_note
from chekt_mcp.errors import InvalidInput

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was: its root over the first `size` entries."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, key: SigningKey) -> str:
        """Return the checkpoint as a signed note."""
        return key.sign(self.text())


def origin_of(dealer: str) -> str:
    """Return the name of a dealer's log: no white space, no plus sign, whatever the dealer is called."""
    return f"chekt-mcp/{quote(dealer, safe='', errors='backslashreplace')}"


def read_checkpoint(content: str) -> tuple[Checkpoint, Note]:
    """Read a checkpoint; whether its signature is good is for `Note.signed_by` to say.

    Raises:
        InvalidInput: code `bad_checkpoint`.
    """
    note = read_note(content)
    lines = note.text[:-1].split("\n")
    origin, size, root = lines[:_LINES] if len(lines) >= _LINES else ("", "", "")
    if "" in lines or _SIZE.fullmatch(size) is None or base64.b64encode(_root(root)).decode() != root:
        raise InvalidInput(
            "That is a signed note, and no checkpoint of a log.",
            field="checkpoint",
            code="bad_checkpoint",
            fix="Give a file as `chekt-mcp audit checkpoint` printed it.",
        )
    return Checkpoint(origin, int(size), _root(root)), note


def verified_checkpoint(content: str, key: VerifierKey) -> Checkpoint | None:
    """Return the checkpoint if this key signed it under its own name; None when it did not.

    Raises:
        InvalidInput: code `bad_checkpoint`; it is none at all.
    """
    checkpoint, note = read_checkpoint(content)
    return checkpoint if checkpoint.origin == key.name and note.signed_by(key) else None


def _root(text: str) -> bytes:
    """Return the 32 bytes of a root; none for anything else."""
    try:
        root = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return root if len(root) == HASH_LENGTH else b""
