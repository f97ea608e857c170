"""Check an export without the log, the state or a network: the file, its manifest, a key or a kept checkpoint.

1. The manifest's note is over this very manifest, and the key signed it.
2. The checkpoint in it is signed by the same key, under the name of the log that the manifest names, at its size.
3. The file has the length and SHA-256 that the manifest says, and as many entries.
4. With a proof: its entries and the hashes between them give the root that the checkpoint signs.
5. With a checkpoint that somebody kept: the same key signed it, and at the same size it has the same root.

Only what is given from outside can vouch for the key: without it all of this says no more than that the parts fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from chekt_mcp.domain.checkpoint import Checkpoint, origin_of, read_checkpoint, verified_checkpoint
from chekt_mcp.domain.export_manifest import FileStatement, Manifest, SignedManifest, read_manifest
from chekt_mcp.domain.signed_note import VerifierKey, read_verifier_key
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.export_count import count_entries
from chekt_mcp.operations.audit.export_evidence_check import evidence_problem
from chekt_mcp.operations.audit.export_format import ExportFormat

_PIECE = 1024 * 1024


class ExportStatus(StrEnum):
    """What is known in the end.

    VERIFIED: everything fits, and a key or checkpoint from outside vouches. CONSISTENT: everything fits, and nobody
    outside vouches for the key. ALTERED: something does not fit.
    """

    VERIFIED = "verified"
    CONSISTENT = "consistent"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Given:
    """What is checked, and what vouches: `key` as text, `against` as the content of a kept checkpoint."""

    file: Path
    manifest: Path
    proof: Path
    key: str | None = None
    against: str | None = None


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """The result. `rows` were counted, None where they could not be; `included`: all of them proved to be in the log.

    `compared`: the kept checkpoint has the manifest's size, so that the two logs are known to be one.
    """

    status: ExportStatus
    manifest: Manifest
    key: VerifierKey
    rows: int | None
    included: bool
    compared: bool
    problems: list[Problem] = field(default_factory=list)


def check_export(given: Given) -> ExportCheck:
    """Check one export.

    Raises:
        InvalidInput: `unreadable_file`, `bad_manifest`, `bad_verifier_key`, `bad_checkpoint`: there is no answer.
    """
    signed = read_manifest(_small(given.manifest, "manifest"))
    manifest, own = signed.manifest, read_verifier_key(signed.manifest.log_key)
    trusted = read_verifier_key(given.key) if given.key is not None else None
    key = trusted or own
    checkpoint = _checkpoint(manifest, key)
    kept = read_checkpoint(given.against) if given.against is not None else None
    problems = [*_signatures(signed, key, own), *_checkpoint_problems(manifest, checkpoint)]
    rows = _file_problems(given.file, manifest, problems)
    included = _proof_problems(given, manifest, checkpoint, problems)
    compared = False
    if kept is not None:
        compared = _against(kept[0], kept[1].signed_by(key), checkpoint, problems)
    vouched = trusted is not None or kept is not None
    return ExportCheck(_status(problems, vouched=vouched), manifest, key, rows, included, compared, problems)


def _status(problems: list[Problem], *, vouched: bool) -> ExportStatus:
    if problems:
        return ExportStatus.ALTERED
    return ExportStatus.VERIFIED if vouched else ExportStatus.CONSISTENT


def _signatures(signed: SignedManifest, key: VerifierKey, own: VerifierKey) -> list[Problem]:
    """Take step 1."""
    if key != own:
        return [Problem("another_key", "The manifest names another key than the one given.")]
    if not signed.signed_by(key):
        return [Problem("bad_signature", "The manifest was not signed by its key as it stands: it was altered.")]
    return []


def _checkpoint(manifest: Manifest, key: VerifierKey) -> Checkpoint | None:
    try:
        return verified_checkpoint(manifest.checkpoint, key)
    except InvalidInput:
        return None


def _checkpoint_problems(manifest: Manifest, checkpoint: Checkpoint | None) -> list[Problem]:
    """Take step 2."""
    if checkpoint is None:
        return [Problem("bad_checkpoint", "The log's checkpoint in the manifest is not signed by the key.")]
    if checkpoint.origin != origin_of(manifest.dealer) or checkpoint.size != manifest.log_size:
        return [Problem("another_log", "The checkpoint in the manifest is of another log, or of another size.")]
    if manifest.last_seq > checkpoint.size:
        return [Problem("beyond_checkpoint", "Entries are said to be exported that the checkpoint does not cover.")]
    return []


def _file_problems(path: Path, manifest: Manifest, problems: list[Problem]) -> int | None:
    """Take step 3; return the number of entries counted."""
    found = _statement(path, "file")
    if (found.bytes, found.sha256) != (manifest.file.bytes, manifest.file.sha256):
        what = f"It has {found.bytes:,} bytes, the manifest says {manifest.file.bytes:,}; or its SHA-256 differs."
        problems.append(Problem("file_altered", f"The file is not the one that was exported. {what}"))
    rows = count_entries(path, ExportFormat(manifest.format)) if manifest.format in set(ExportFormat) else None
    if rows is not None and rows != manifest.rows:
        what = f"The file holds {rows:,} entries, the manifest says {manifest.rows:,}."
        problems.append(Problem("other_rows", what))
    return rows


def _proof_problems(given: Given, manifest: Manifest, checkpoint: Checkpoint | None, problems: list[Problem]) -> bool:
    """Take step 4; tell whether every entry was shown to be in the log."""
    if manifest.proof is None or checkpoint is None:
        return False
    found = _statement(given.proof, "proof")
    if (found.bytes, found.sha256) != (manifest.proof.bytes, manifest.proof.sha256):
        problems.append(Problem("proof_altered", "The proof is not the one that was exported."))
    why = evidence_problem(given.file, given.proof, checkpoint)
    if why is not None:
        problems.append(Problem("not_in_log", why))
    return why is None


def _against(kept: Checkpoint, signed: bool, checkpoint: Checkpoint | None, problems: list[Problem]) -> bool:  # noqa: FBT001 -- what is known of the first one
    """Take step 5; tell whether the two checkpoints could be laid side by side."""
    if not signed or checkpoint is None or kept.origin != checkpoint.origin:
        problems.append(Problem("another_key", "The key did not sign the checkpoint that was kept."))
        return False
    if kept.size == checkpoint.size and kept.root != checkpoint.root:
        problems.append(Problem("another_history", "The kept checkpoint has the same size and another root."))
    return kept.size == checkpoint.size


def _statement(path: Path, field: str) -> FileStatement:
    digest, length = sha256(), 0
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
                length += len(piece)
    except OSError as error:
        raise _unreadable(field) from error
    return FileStatement(path.name, length, digest.hexdigest())


def _small(path: Path, field: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_PIECE + 1)
    except OSError as error:
        raise _unreadable(field) from error


def _unreadable(field: str) -> InvalidInput:
    return InvalidInput(
        f"The {field} cannot be read.",
        field=field,
        code="unreadable_file",
        fix="The export, FILE.manifest.json and, for one with proofs, FILE.proof belong together; see --manifest.",
    )
