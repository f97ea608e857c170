"""Where the caller's API key comes from on stdio: a file (read again when it changes) or the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chekt_mcp.errors import ChektError


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a caller has no grant: a stable code, what happened, and how to mend it."""

    code: str
    message: str
    fix: str


NO_KEY = Problem(
    "no_key",
    "This server was started without an API key.",
    "Set CHEKT_API_KEY_FILE in the client's configuration to the key file that `chekt-mcp init` named.",
)


class KeySource:
    """The key presented on stdio. A file wins over a value, because a rotation can then reach it.

    The file is read again whenever its inode, mode, size or times differ, so a session that rotates its own key
    goes on with the new one, and one whose file is opened to everybody notices.
    """

    def __init__(self, *, file: Path | None, value: str | None, read_file: Callable[[Path], str]) -> None:
        self.file = file
        self._value = value
        self._read_file = read_file
        self._signature: tuple[int, ...] | None = None
        self._cached = ""

    def current(self) -> str | Problem:
        """Return the key in clear, or why there is none."""
        if self.file is None:
            return self._value or NO_KEY
        try:
            return self._from_file(self.file)
        except FileNotFoundError:
            return Problem(
                "key_file_missing",
                "The key file named by CHEKT_API_KEY_FILE does not exist.",
                "Correct the path in the client's configuration, or put the app's key there (mode 0600).",
            )
        except OSError:
            return Problem(
                "key_file_unreadable",
                "The key file named by CHEKT_API_KEY_FILE cannot be read.",
                "Make it a plain file that this user owns and may read (mode 0600).",
            )
        except ChektError as error:
            return Problem(error.code, error.message, error.fix)

    def _from_file(self, file: Path) -> str:
        known, self._signature = self._signature, None  # what fails below is read anew the next time
        status = file.stat()
        times = (status.st_mtime_ns, status.st_ctime_ns)
        signature = (status.st_ino, status.st_mode, status.st_size, *times)
        if signature != known:
            self._cached = self._read_file(file)
        self._signature = signature
        return self._cached
