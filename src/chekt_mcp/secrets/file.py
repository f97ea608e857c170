"""The file sink: a 0600 file, replaced in one step; and the reading of such a file. Where it may be: `place.py`."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.errors import InvalidInput
from chekt_mcp.secrets.interface import DELIVERY_UNKNOWN, not_delivered, target_of
from chekt_mcp.secrets.place import Place, open_place
from chekt_mcp.secrets.whole_file import LIMIT, SmallFile, read_small, temporary_file

PROBE = b"\n" * 512
"""As long as any key with room to spare: a full disk shows before anything is minted."""


def key_path(directory: Path, dealer: str, app: str, kind: KeyKind) -> Path:
    """Return the place of a value under the secrets directory: the same at set-up and at every rotation."""
    return directory / dealer / f"{app}.{kind.value}"


@dataclass(frozen=True, slots=True)
class FileSink:
    """A file that holds one key and a newline. A cancelled call still ends in the old content or the new."""

    path: Path
    reference: str
    name: ClassVar[str] = "file"

    @property
    def target(self) -> str:
        """The absolute path and the reference."""
        return target_of(path=self.path.absolute(), reference=self.reference)

    async def prove(self) -> None:
        """Write, flush and remove a file beside the target; see `Sink`."""
        await asyncio.to_thread(self._prove)

    async def deliver(self, value: str) -> None:
        """Replace the file by one that holds `value` and a newline; see `Sink`."""
        await asyncio.to_thread(self._deliver, value)

    def _prove(self) -> None:
        with open_place(self.path, self.reference) as place, temporary_file(place.directory, place.name, PROBE):
            os.fsync(place.directory)

    def _deliver(self, value: str) -> None:
        with (
            open_place(self.path, self.reference) as place,
            temporary_file(place.directory, place.name, f"{value}\n".encode()) as temporary,
        ):
            place.replace(temporary)
            try:
                os.fsync(place.directory)
            except OSError:
                self._put_back(place)
                raise

    def _put_back(self, place: Place) -> None:
        """Undo a replacement that may not survive a power cut: the caller will go on using the old key."""
        try:
            place.put_back()
        except OSError as error:
            raise not_delivered(
                self.reference,
                "the disk fails, and the new content may be in place or not",
                "Mend the disk, then look whether the file holds the new key.",
                code=DELIVERY_UNKNOWN,
            ) from error


def read_key_file(path: Path) -> str:
    """Return the text of a key file without the whitespace around it; what it says is not checked.

    Raises:
        InvalidInput: with code `key_file_missing`, `key_file_unreadable` (also: not a file, not text),
            `key_file_too_open` (every user of this machine may read or change it), `key_file_too_large`
            (over 4 KiB) or `key_file_empty`. Never says what the file holds.
    """
    try:
        found = read_small(path)
    except FileNotFoundError:
        raise _bad_key_file("missing", "There is no file at the configured place.", "Correct the path.") from None
    except OSError as error:
        raise _bad_key_file("unreadable", "The key file cannot be read.", "Make it readable to this user.") from error
    return _key_in(found)


def _key_in(found: SmallFile) -> str:
    if not found.regular:
        raise _bad_key_file("unreadable", "The configured key file is not a file.", "Correct the path.")
    if found.status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise _bad_key_file("too_open", "Every user of this machine may use the key file.", "Run chmod 600 on it.")
    if len(found.content) > LIMIT:
        raise _bad_key_file("too_large", "The key file is longer than 4 KiB.", "Put the key alone into it.")
    text = _decoded(found.content)
    if text is None:
        raise _bad_key_file("unreadable", "The key file is not plain text.", "Put the key alone into it.")
    if not text:
        raise _bad_key_file("empty", "The key file is empty.", "Put the key into it.")
    return text


def _decoded(content: bytes) -> str | None:
    # Returned, not raised: a decoding error carries the content with it.
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return None


def _bad_key_file(code: str, message: str, fix: str) -> InvalidInput:
    return InvalidInput(message, field="key_file", code=f"key_file_{code}", fix=fix)
