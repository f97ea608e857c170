"""Several processes that serve one socket: begun together, replaced when one dies, ended together."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

_LOG = logging.getLogger(__name__)
WATCHED = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)
ENOUGH_SECONDS = 5.0
MOST_EARLY_DEATHS = 5
"""A worker that dies sooner than that after it began, so many times: another would die as well."""


class Workers:
    """Runs `work(number)` in so many child processes. To be used before threads, event loops and databases."""

    def __init__(self, count: int, work: Callable[[int], None]) -> None:
        self._count, self._work = count, work
        self._running: dict[int, tuple[int, float]] = {}
        self._early_deaths = 0
        self._ending = False

    def run(self) -> int:
        """Begin all, and return the exit code once all have ended."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        for number in range(self._count):
            self._begin(number)
        while self._running:
            if signal.sigwait(WATCHED) == signal.SIGCHLD:
                self._replace_dead()
            else:
                self._end()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return 1 if self._early_deaths >= MOST_EARLY_DEATHS else 0

    def _begin(self, number: int) -> None:
        parent = os.getpid()
        child = os.fork()
        if child:
            self._running[child] = (number, time.monotonic())
            return
        code = 1
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
            if os.getppid() == parent:
                self._work(number)
                code = 0
        except BaseException:  # noqa: BLE001 -- a child must never run on into its parent's code
            _LOG.exception("A worker failed")
        finally:
            os._exit(code)  # what the parent has to clean up is not the child's

    def _replace_dead(self) -> None:
        with suppress(ChildProcessError):
            while (dead := os.waitpid(-1, os.WNOHANG)[0]) > 0:
                self._replace(dead)

    def _replace(self, dead: int) -> None:
        number, since = self._running.pop(dead, (-1, 0.0))
        if number < 0 or self._ending:
            return
        early = time.monotonic() - since < ENOUGH_SECONDS
        self._early_deaths = self._early_deaths + 1 if early else 0
        _LOG.warning("A worker died and is replaced")
        if self._early_deaths >= MOST_EARLY_DEATHS:
            _LOG.error("Workers die as soon as they begin")
            self._end()
        else:
            self._begin(number)

    def _end(self) -> None:
        self._ending = True
        for child in self._running:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
