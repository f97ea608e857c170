"""Evidence: an export whose every entry can be shown to be in the log, without the log.

Each line is the canonical entry (`domain.audit_leaf`), salt and number included: SHA-256 over a zero byte and the
line without its line feed is the entry's leaf. Beside it grows the proof, a file of hashes: those of the complete
subtrees between the exported entries, in the order of `domain.log_cover`, 32 bytes each and nothing else. Whoever
goes through both from the first leaf to the last gets the root that the checkpoint signs; so does this module, and
what does not come out right is refused rather than handed out.
"""

from __future__ import annotations

from chekt_mcp.domain.audit_leaf import canonical_entry
from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.domain.log_cover import Cover, gap_places
from chekt_mcp.domain.merkle import leaf_hash_of
from chekt_mcp.errors import Conflict
from chekt_mcp.operations.audit.export_file import ExportFile
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import StoredCheckpoint


class Evidence:
    """One export with its proof; `head`, `tail` and `at_once` as those of an `Encoder`."""

    at_once = 10_000

    def __init__(self, dealer: str, checkpoint: StoredCheckpoint, proof: ExportFile) -> None:
        self._dealer = dealer
        self._checkpoint = checkpoint
        self._proof = proof
        self._cover = Cover()

    def head(self) -> bytes:
        """Return nothing: the lines have no header."""
        return b""

    async def block(self, reader: Reader, block: LogBlock) -> bytes:
        """Return the lines of some entries, and add what lies between them to the proof."""
        first, last = block.seq[0], block.seq[-1]
        logged = await reader.logged_entries(self._dealer, first - 1, last - first + 1)
        lines = {entry.seq: canonical_entry(entry, salt) for entry, salt in logged}
        hashes = list[bytes]()
        for seq in block.seq:
            hashes += await self._gap(reader, seq - 1)
            self._cover.add_leaf(leaf_hash_of(lines[seq]))
        self._proof.write(b"".join(hashes))
        return b"".join(lines[seq] + b"\n" for seq in block.seq)

    async def rest(self, reader: Reader) -> None:
        """Add what lies behind the last entry.

        Raises:
            Conflict: code `log_inconsistent`: entries and tree do not give the root that was signed.
        """
        self._proof.write(b"".join(await self._gap(reader, self._checkpoint.size)))
        if self._cover.root() != self._checkpoint.root:
            raise _inconsistent()

    def tail(self) -> bytes:
        """Return nothing."""
        return b""

    async def _gap(self, reader: Reader, end: int) -> list[bytes]:
        hashes = list[bytes]()
        for level, index in gap_places(self._cover.size, end):
            found = await reader.subtree_hash(self._dealer, level, index)
            if found is None:
                raise _inconsistent()
            self._cover.add_subtree(level, found)
            hashes.append(found)
        return hashes


def _inconsistent() -> Conflict:
    return Conflict(
        "The entries do not give the root that the log's checkpoint signs: the log was altered.",
        code="log_inconsistent",
        fix="Run `chekt-mcp audit verify` to see where, and keep a copy of the state.",
    )
