"""Where an export goes: its file or standard output, its manifest and its proof, all of them or none."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from chekt_mcp.domain.export_manifest import FileStatement
from chekt_mcp.errors import ChektError
from chekt_mcp.operations.audit.export_file import ExportFile, failed, proof_path, write_all


class ExportStream:
    """Standard output instead of a file: it can be neither taken back nor replaced."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._digest, self._length = sha256(), 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to take back."""

    def write(self, piece: bytes) -> None:
        """Pass it on, past any buffer: what cannot be written must be known before the export counts as done.

        Raises:
            BrokenPipeError: nobody reads any more.
            Unavailable: as `ExportFile.write`.
        """
        try:
            write_all(self._handle, piece)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise failed(error) from error
        self._digest.update(piece)
        self._length += len(piece)

    def finished(self) -> FileStatement:
        """Say what it was."""
        return FileStatement("-", self._length, self._digest.hexdigest())

    def publish(self) -> None:
        """It went out already."""

    def withdraw(self) -> None:
        """It cannot be taken back."""


Output = ExportFile | ExportStream


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes. `manifest` and `proof` are None where there is no place for them."""

    output: Output
    manifest: ExportFile | None
    proof: ExportFile | None = None

    @property
    def files(self) -> list[Output]:
        """All of them, in the order in which they may appear: the export itself last."""
        return [file for file in (self.manifest, self.proof, self.output) if file is not None]

    def publish(self) -> None:
        """Let all of them appear, or none.

        Raises:
            Conflict, Unavailable: see `ExportFile.publish`.
        """
        appeared = list[Output]()
        try:
            for file in self.files:
                file.publish()
                appeared.append(file)
        except ChektError:
            for file in appeared:
                file.withdraw()
            raise


def target_of(path: Path, manifest: Path, *, proofs: bool, force: bool) -> Target:
    """Return the files of an export to `path`."""
    proof = ExportFile(proof_path(path), force=force) if proofs else None
    return Target(ExportFile(path, force=force), ExportFile(manifest, force=force), proof)
