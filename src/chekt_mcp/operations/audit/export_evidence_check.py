"""Check evidence (see `export_evidence`): from the lines and the hashes between them to the root of the checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

from chekt_mcp.domain.checkpoint import Checkpoint
from chekt_mcp.domain.log_cover import Cover, gap_places
from chekt_mcp.domain.merkle import HASH_LENGTH, leaf_hash_of
from chekt_mcp.errors import InvalidInput


def evidence_problem(file: Path, proof: Path, checkpoint: Checkpoint) -> str | None:
    """Return why the entries are not shown to be in the log; None when every one of them is. Memory: O(log n).

    Raises:
        InvalidInput: code `unreadable_file`.
    """
    try:
        with file.open("rb") as lines, proof.open("rb") as hashes:
            return _Check(hashes, checkpoint).run(lines)
    except OSError as error:
        raise InvalidInput("A file cannot be read.", field="file", code="unreadable_file") from error


class _Check:
    """One pass over both files."""

    def __init__(self, hashes: BinaryIO, checkpoint: Checkpoint) -> None:
        self._hashes = hashes
        self._checkpoint = checkpoint
        self._cover = Cover()

    def run(self, lines: BinaryIO) -> str | None:
        for number, line in enumerate(lines, 1):
            seq = self._seq(line)
            if seq is None:
                return f"Line {number:,} is no entry of a log."
            if not self._cover.size < seq <= self._checkpoint.size or not self._skip_to(seq - 1):
                return f"Line {number:,} is not in the order of the log, or the proof is too short."
            self._cover.add_leaf(leaf_hash_of(line[:-1]))
        if not self._skip_to(self._checkpoint.size) or self._hashes.read(1):
            return "The proof is too short or too long for these entries."
        if self._cover.root() != self._checkpoint.root:
            return "Entries and proof do not give the root that the checkpoint signs: at least one entry was altered."
        return None

    def _seq(self, line: bytes) -> int | None:
        """Return the number on a line. Nothing else is looked at: the leaf is the hash of these very bytes."""
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return None
        return entry["seq"] if isinstance(entry, dict) and type(entry.get("seq")) is int else None

    def _skip_to(self, end: int) -> bool:
        for level, _ in gap_places(self._cover.size, end):
            found = self._hashes.read(HASH_LENGTH)
            if len(found) != HASH_LENGTH:
                return False
            self._cover.add_subtree(level, found)
        return True
