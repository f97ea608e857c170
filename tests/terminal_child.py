"""`chekt-mcp` as a child process: with pipes as a program starts it, and at a pseudo-terminal as a person does."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = str(Path(sys.executable).parent / "chekt-mcp")
PASSPHRASE = "example horse battery staple"  # noqa: S105 -- invented for these tests
DEADLINE = 30.0
"""Seconds after which a child that says nothing more has failed; none needs one of them."""

TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the pseudo-terminal the child's own (/dev/tty), then becomes the program."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The code of the error reported, "" for none."""
        found = re.search(r"^error: ([a-z_]+): ", self.err, re.MULTILINE)
        return found.group(1) if found else ""


@dataclass
class Machine:
    """A home directory of its own with one state directory; nothing of the real user is seen."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def secrets(self) -> Path:
        return self.state / "secrets"

    def environment(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "CHEKT_MCP_STATE": str(self.state),
            **self.variables,
        }

    def run(self, *arguments: str | Path, typed: str | bytes = "") -> Done:
        """Run a command without a terminal; `typed` is its standard input."""
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            input=typed if isinstance(typed, bytes) else typed.encode(),
            capture_output=True,
            env=self.environment(),
            cwd=self.home,
            timeout=DEADLINE,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *arguments: str | Path, typed: str = "") -> str:
        """Run a command that has to succeed, and return what it says."""
        done = self.run(*arguments, typed=typed)
        assert done.code == 0, done.err
        return done.out

    @contextmanager
    def terminal(self, *arguments: str | Path) -> Iterator[AtTerminal]:
        """Run a command at a pseudo-terminal; it must have ended when the block does."""
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, PROGRAM, *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**self.environment(), "TERM": "dumb"},
            cwd=self.home,
            start_new_session=True,
        )
        os.close(slave)
        screen = AtTerminal(master, process)
        try:
            yield screen
            screen.finish()
        finally:
            process.kill()
            process.wait()
            os.close(master)


@dataclass
class AtTerminal:
    """What a person sees and types. Reads until what is expected appears, never for a time."""

    _master: int
    _process: subprocess.Popen[bytes]
    screen: str = ""
    code: int = -1
    _seen: int = 0

    def expect(self, text: str) -> None:
        """Wait until `text` appears after what was seen before."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.screen[self._seen :]:
            assert self._read(deadline), f"never saw {text!r} in:\n{self.screen}"
        self._seen = self.screen.index(text, self._seen) + len(text)

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._master, line.encode() + b"\n")

    def answer(self, question: str, line: str) -> None:
        """Wait for a question, then type."""
        self.expect(question)
        self.type(line)

    def press_control_c(self) -> None:
        """Send what the terminal turns into SIGINT."""
        os.write(self._master, b"\x03")

    def finish(self) -> None:
        """Read to the end and take the exit code."""
        deadline = time.monotonic() + DEADLINE
        while self._read(deadline):
            pass
        self.code = self._process.wait(DEADLINE)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        try:
            piece = os.read(self._master, 65_536) if ready else b""
        except OSError:  # Linux reports the end of a pseudo-terminal as an error
            piece = b""
        self.screen += piece.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(piece)
