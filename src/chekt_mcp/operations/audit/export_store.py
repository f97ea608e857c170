"""Exports that assistants asked for: kept in the state directory for a while, each for who asked.

`exports/DEALER/` (0700) holds `exp_….FORMAT` and its manifest (0600). Seven days, twenty exports and a gibibyte for
each dealer: what is older or beyond goes whenever one is added or looked for. The manifest says whose an export is, and
only as long as the log's own key signed it: there is no list beside the files that could say something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from chekt_mcp.domain.export_manifest import LONGEST, Manifest, read_manifest
from chekt_mcp.domain.scope import Grant
from chekt_mcp.domain.signed_note import VerifierKey
from chekt_mcp.errors import InvalidInput, NotFound, Unavailable
from chekt_mcp.operations.audit.export_file import failed, manifest_path, remove_unlocked
from chekt_mcp.operations.audit.export_format import ExportFormat
from chekt_mcp.operations.audit.export_target import Target, target_of

KEPT = timedelta(days=7)
MOST_EXPORTS = 20
MOST_BYTES = 1024**3

SCHEME = "chekt-export"
URI = re.compile(rf"{SCHEME}://audit/(exp_[a-z2-7]{{20}})/(log\.(?:csv|json|jsonl)|manifest\.json)")
_MANIFEST = re.compile(r"exp_[a-z2-7]{20}\.(?:csv|json|jsonl)\.manifest\.json")
_TEMPORARY = re.compile(r"\..+\.new")


@dataclass(frozen=True, slots=True)
class StoredExport:
    """One export that is kept."""

    path: Path
    manifest: Manifest

    @property
    def expires_at(self) -> datetime:
        """When it goes."""
        return datetime.fromisoformat(self.manifest.exported_at) + KEPT

    @property
    def uri(self) -> str:
        """Where a client reads the export."""
        return f"{SCHEME}://audit/{self.manifest.export_id}/log.{self.manifest.format}"

    @property
    def manifest_uri(self) -> str:
        """Where a client reads its manifest."""
        return f"{SCHEME}://audit/{self.manifest.export_id}/manifest.json"

    def named(self, uri: str) -> Path | None:
        """Return the file that a URI of this export names."""
        return {self.uri: self.path, self.manifest_uri: manifest_path(self.path)}.get(uri)


@dataclass(frozen=True, slots=True)
class ExportStore:
    """The exports of one dealer, in a directory of their own."""

    directory: Path

    def target(self, export_id: str, form: ExportFormat) -> Target:
        """Return where a new export goes, making the directory at the first.

        Raises:
            Unavailable: it cannot be made; see `export_file.failed`.
        """
        try:
            for missing in (self.directory.parent, self.directory):
                missing.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise failed(error) from error
        path = self._path(export_id, form.value)
        return target_of(path, manifest_path(path), proofs=False, force=False)

    def stored(self, manifest: Manifest) -> StoredExport:
        """Return the export that a manifest in here describes."""
        return StoredExport(self._path(manifest.export_id, manifest.format), manifest)

    def of(self, grant: Grant, key: VerifierKey, now: datetime) -> list[StoredExport]:
        """Return what this caller exported and may still read, newest first."""
        return [found for found in self._kept(key, now) if _may_read(grant, found.manifest)]

    def find(self, uri: str, grant: Grant, key: VerifierKey, now: datetime) -> tuple[StoredExport, Path]:
        """Return the export that a URI names, and which of its files.

        Raises:
            NotFound: code `unknown_export`: the same for none, an expired one, and one of somebody else.
        """
        for export in self.of(grant, key, now) if URI.fullmatch(uri) else ():
            if (path := export.named(uri)) is not None:
                return export, path
        raise NotFound(
            "There is no export of yours by that name; they are kept for a week.",
            field="uri",
            code="unknown_export",
            fix="Make one with export_audit_log.",
        )

    def clean(self, now: datetime, *, coming: int = 0) -> None:
        """Remove what is too old, too many or too much, so that `coming` more have room; and what killed ones left."""
        kept = sorted(self._all(), key=lambda one: one.manifest.exported_at, reverse=True)
        total = 0
        for number, export in enumerate(kept, 1 + coming):
            total += export.manifest.file.bytes
            if export.expires_at <= now or number > MOST_EXPORTS or total > MOST_BYTES:
                _remove(export.path)
        for path in self._files():
            if _TEMPORARY.fullmatch(path.name):
                with suppress(OSError):
                    remove_unlocked(path)

    def _kept(self, key: VerifierKey, now: datetime) -> list[StoredExport]:
        self.clean(now)
        ours = [one for one in self._all() if one.expires_at > now and _signed(one, key) and one.path.is_file()]
        return sorted(ours, key=lambda one: (one.manifest.exported_at, one.path.name), reverse=True)

    def _all(self) -> Iterator[StoredExport]:
        for path in self._files():
            if _MANIFEST.fullmatch(path.name):
                manifest = _read(path)
                export = path.with_name(path.name.removesuffix(".manifest.json"))
                if manifest is None or export != self._path(manifest.export_id, manifest.format):
                    _remove(export)
                else:
                    yield StoredExport(export, manifest)

    def _files(self) -> list[Path]:
        try:
            return sorted(self.directory.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable("The directory of exports cannot be read.", code="exports_unreadable") from error

    def _path(self, export_id: str, form: str) -> Path:
        return self.directory / f"{export_id}.{form}"


def _may_read(grant: Grant, manifest: Manifest) -> bool:
    """Tell whether an export is this caller's own, and of nothing that the caller may no longer see."""
    own = (manifest.dealer, manifest.exported_by) == (grant.dealer, grant.principal)
    return own and set(manifest.apps) <= set(grant.apps)


def _signed(export: StoredExport, key: VerifierKey) -> bool:
    try:
        return read_manifest(manifest_path(export.path).read_bytes()).signed_by(key)
    except (OSError, InvalidInput):
        return False


def _read(path: Path) -> Manifest | None:
    try:
        with path.open("rb") as stream:
            manifest = read_manifest(stream.read(LONGEST + 1)).manifest
        datetime.fromisoformat(manifest.exported_at)
    except (OSError, InvalidInput, ValueError):
        return None
    return manifest


def _remove(path: Path) -> None:
    for one in (path, manifest_path(path)):
        with suppress(OSError):
            one.unlink(missing_ok=True)
