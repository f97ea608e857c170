"""Request ids out of lines, within a limit of processor time: a pattern given by a person can take for ever.

Python's matcher backtracks, and cannot be told how far; but it heeds signals. A timer of the process's own processor
time (a busy machine or a slow disk does not count) breaks it off.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from chekt_mcp.domain.request_pattern import RequestPattern
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_correlation import FoundId
from chekt_mcp.operations.audit.log_file.text_log import LINE_LIMIT, Line

PIECE = 262_144
"""Characters of text that are matched in one go (and up to a line more)."""

SECONDS = 1.0
"""Processor time for one piece; a pattern that does not backtrack needs a hundredth of it."""


@dataclass(slots=True)
class LineTally:
    """Lines read, those longer than is looked at, and those without an id."""

    lines: int = 0
    cut: int = 0
    without_id: int = 0


def pieces(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Put lines together to be matched in one go."""
    piece: list[Line] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line.text)
        if size >= PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def ids_in(piece: Sequence[Line], pattern: RequestPattern, tally: LineTally) -> list[FoundId]:
    """Return the ids of some lines; only in the main thread.

    Raises:
        InvalidInput: code `slow_pattern`.
    """
    found: list[FoundId] = []
    try:
        with _processor_time(SECONDS):
            for line in piece:
                ids = pattern.ids_in(line.text)
                tally.lines += 1
                tally.cut += line.cut
                tally.without_id += not ids
                found += [FoundId(line.number, one) for one in ids]
    except TimeoutError:
        raise _slow(tally.lines + 1) from None
    return found


@contextmanager
def _processor_time(seconds: float) -> Iterator[None]:
    def over(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _slow(line: int) -> InvalidInput:
    return InvalidInput(
        f"The pattern takes too long, at line {line:,} at the latest: it was broken off, and nothing is concluded.",
        field="pattern",
        code="slow_pattern",
        fix="Write it without a repetition inside a repetition, and without `.*` between two that can match the "
        f"same text; a line has up to {LINE_LIMIT:,} characters.",
    )
