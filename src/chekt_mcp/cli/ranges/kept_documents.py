"""Copies of fetched documents in the state directory: `ranges/` (0700), one file (0600) for each URL.

A file is a line of JSON (entity tag, when the server last said that this is the document, SHA-256), then the document.
A copy that is damaged, or that others could have written, is not used. Where there is no state directory yet, nothing
is kept: only `chekt-mcp init` makes one.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chekt_mcp.domain.published_document import LARGEST, KeptCopy
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.secrets.whole_file import open_directory, sweep, temporary_file

FOLDER = "ranges"
HEAD_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class DocumentFiles:
    """The copies in one state directory."""

    state: Path

    def load(self, url: str) -> tuple[KeptCopy | None, str]:
        """Return the copy of a document, or why the one there is cannot be used; see `KeptDocuments`."""
        try:
            copy = _parsed(_private_content(self.state / FOLDER / _name(url)))
        except FileNotFoundError:
            return None, ""
        except (OSError, ValueError, RecursionError):  # the latter two for what is no JSON
            copy = None
        damage = "The copy kept of this document is damaged or open to others; it is not used."
        return copy, "" if copy else damage

    def save(self, url: str, copy: KeptCopy) -> str:
        """Replace the copy of a document in one step; see `KeptDocuments`."""
        if not self.state.is_dir():
            return "No copy is kept for times without a network: `chekt-mcp init` has made no state directory yet."
        try:
            _replace(self.state / FOLDER, _name(url), _head(copy) + copy.content)
        except OSError as error:
            return f"No copy is kept for times without a network: {os.strerror(error.errno or 0)}."
        return ""


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]


def _head(copy: KeptCopy) -> bytes:
    digest = hashlib.sha256(copy.content).hexdigest()
    return json.dumps({"etag": copy.etag, "at": rfc3339(copy.at), "sha256": digest}).encode() + b"\n"


def _private_content(path: Path) -> bytes:
    """Return what stands in a file of this user's own, b"" for any other file."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        private = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
        return stream.read(HEAD_LIMIT + LARGEST + 1) if private else b""


def _parsed(content: bytes) -> KeptCopy | None:
    """Take a file apart; None for one that `save` did not write like this. `ValueError` for what is no JSON."""
    line, _, document = content.partition(b"\n")
    head = json.loads(line)
    digest = hashlib.sha256(document).hexdigest()
    if not isinstance(head, dict) or head.get("sha256") != digest:
        return None
    etag, at = head.get("etag"), head.get("at")
    moment = datetime.fromisoformat(at) if isinstance(at, str) else None
    if moment is None or moment.tzinfo is None or not isinstance(etag, str | None):
        return None
    return KeptCopy(document, etag, moment)


def _replace(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    with open_directory(folder) as directory:
        sweep(directory, name)
        with temporary_file(directory, name, content) as temporary:
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
