"""Finding out, without waiting blindly, whether processes that should have been killed are gone."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def watched_pipe(path: Path) -> Iterator[int]:
    """Make a named pipe and yield its reading end: it ends when the last process that opened it to write is gone."""
    os.mkfifo(path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield handle
    finally:
        os.close(handle)


def assert_gone(pipe: int) -> None:
    """Wait until nobody holds the writing end any more."""
    watch = select.poll()
    watch.register(pipe, select.POLLIN)
    while True:
        try:
            if os.read(pipe, 10) == b"":
                return
        except BlockingIOError:
            assert watch.poll(10_000), "a process that should have been killed is still there"
