"""Ranges out of a file that a person has: downloaded elsewhere, or written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from chekt_mcp.domain.published_document import LARGEST
from chekt_mcp.domain.published_ranges import read_ranges
from chekt_mcp.domain.range_text import Origin
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.ranges.range_sources import Obtained


def ranges_of_file(path: str, *, shared: bool) -> Obtained:
    """Read a file; its ranges are as of its last change.

    Raises:
        InvalidInput: codes `unreadable_file`, `too_large`, or as `read_ranges`.
    """
    try:
        file = Path(path).expanduser()
        content, at = _content(file)
    except (OSError, OverflowError, ValueError, RuntimeError):  # the last for the home of an unknown user
        pass
    else:
        return Obtained(read_ranges(content), Origin(file.name, "a file", at, shared=shared), ())
    raise InvalidInput(
        "That is no provider, no https:// URL, and no file that can be read.",
        field="source",
        code="unreadable_file",
        fix="Give github, circleci, gitlab, a URL, or the path of an ordinary file.",
    )


def _content(file: Path) -> tuple[bytes, datetime]:
    if not file.is_file():  # asked before it is opened: opening a pipe would wait for its writer
        raise FileNotFoundError
    at = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    with file.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidInput(f"The file is larger than {LARGEST:,} bytes.", field="source", code="too_large")
    return content, at
