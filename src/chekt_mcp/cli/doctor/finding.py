"""What a check found: fine, worth knowing, or broken, and then how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chekt_mcp.domain.exposure import redacted
from chekt_mcp.errors import ChektError, InvalidInput


class Level(StrEnum):
    """How bad it is. Anything that fails makes `chekt-mcp doctor` end with 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Level
    subject: str
    text: str
    fix: str = ""

    def line(self) -> str:
        """Return the line; whatever it quotes, it holds no credential."""
        return redacted(f"{self.level:<4}  {self.subject}: {self.text} {self.fix}".rstrip())


def fine(subject: str, text: str) -> Finding:
    """Report what is as it should be."""
    return Finding(Level.OK, subject, text)


def warning(subject: str, text: str, fix: str = "") -> Finding:
    """Report what works and should still be looked at."""
    return Finding(Level.WARN, subject, text, fix)


def failure(subject: str, text: str, fix: str = "") -> Finding:
    """Report what does not work."""
    return Finding(Level.FAIL, subject, text, fix)


def bad_setting(error: InvalidInput) -> Finding:
    """Report a variable of this environment that cannot be read."""
    fix = f"{error.fix} The other checks go on as if it were not set."
    return Finding(Level.FAIL, "settings", f"{error.code}: {error.message}", fix)


def failed(subject: str, error: ChektError) -> Finding:
    """Report one of our errors, its code included, so that it can be looked up."""
    return Finding(Level.FAIL, subject, f"{error.code}: {error.message}", error.fix)
