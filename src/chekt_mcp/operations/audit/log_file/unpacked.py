"""A log file as UTF-8 that can be sought in: gzip (RFC 1952, several members too) unpacked, UTF-16 transcoded.

What has to be turned into something else is put into a file without a name in the temporary directory first (TMPDIR),
readable by this user only and gone with the process.
"""

from __future__ import annotations

import codecs
import errno
import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO

from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.row import CHUNK

GZIP = b"\x1f\x8b"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
UNCHECKED = 64 * 1024 * 1024
MOST_TIMES = 200
"""A log is packed to a tenth or a thirtieth; gzip can make a thousand times as much out of nothing."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The text; `broken` says that the file was damaged or cut off: the text then ends with its last whole line."""

    stream: BinaryIO
    broken: bool


def unpacked(stream: BufferedReader, size: int) -> Unpacked:
    """Return the file's text; the file itself where nothing has to be done. `size` is the file's, in bytes.

    Raises:
        InvalidInput: code `unpacked_too_large` for what unpacks to more than 200 times its size, `no_room` where there
            is none for it.
        OSError: it cannot be read.
    """
    head = stream.peek(len(GZIP))
    if head.startswith(GZIP):
        return _spooled(_unzipped(stream, size))
    if head.startswith(UTF_16):
        return _spooled(_utf_8(iter(lambda: stream.read(CHUNK), b"")))
    return Unpacked(stream, broken=False)


def _spooled(pieces: Iterator[bytes]) -> Unpacked:
    spool = tempfile.TemporaryFile()  # noqa: SIM115 -- it is closed with the log file that reads it
    broken, whole = False, 0
    try:
        for piece in pieces:
            whole = spool.tell() + piece.rfind(b"\n") + 1 if b"\n" in piece else whole
            spool.write(piece)
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError, zlib.error):
        broken = True
        spool.truncate(whole or spool.tell())
    except BaseException as error:
        with suppress(OSError):  # what is left in the buffer has no room either
            spool.close()
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise _no_room() from None
        raise
    spool.seek(0)
    return Unpacked(spool, broken)


def _no_room() -> InvalidInput:
    return InvalidInput(
        "There is no room to unpack the file into the temporary directory.",
        field="file",
        code="no_room",
        fix="Name a larger one with TMPDIR.",
    )


def _unzipped(stream: BufferedReader, size: int) -> Iterator[bytes]:
    pieces = _within(gzip.GzipFile(fileobj=stream), max(UNCHECKED, size * MOST_TIMES))
    first = next(pieces, b"")
    yield from _utf_8(pieces, first) if first.startswith(UTF_16) else _after(first, pieces)


def _within(packed: gzip.GzipFile, limit: int) -> Iterator[bytes]:
    while piece := packed.read1(CHUNK):
        limit -= len(piece)
        if limit < 0:
            raise InvalidInput(
                f"The file unpacks to more than {MOST_TIMES} times its size, which no log does.",
                field="file",
                code="unpacked_too_large",
                fix="If you know that it is one, unpack it yourself and import that.",
            )
        yield piece


def _after(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _utf_8(pieces: Iterator[bytes], first: bytes = b"") -> Iterator[bytes]:
    """Transcode; a lone surrogate becomes bytes that are no UTF-8, so that its row is refused and no other."""
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    for piece in _after(first, pieces):
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
