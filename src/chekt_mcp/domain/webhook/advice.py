"""The form of an explanation: what happened, what to do, and a line of code where it helps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """Words for one cause. Nothing in them comes from the delivery: text that others wrote is never prose.

    Attributes:
        explanation: one sentence (or two) saying what happened.
        fix: what to do about it; None where there is nothing to do.
        code_python: a line for a Python receiver, or None.
        code_node: the same for Node, or None.
    """

    explanation: str
    fix: str | None = None
    code_python: str | None = None
    code_node: str | None = None
