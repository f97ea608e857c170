"""The answer to "why was it not accepted": a cause, its words, and how sure it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chekt_mcp.domain.webhook.fixes import ADVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chekt_mcp.domain.webhook.cause import Cause
    from chekt_mcp.domain.webhook.verification import Verification

_PLAIN_NAME = re.compile(r"[a-z0-9-]{1,48}")
"""An app's name by this project's rules; anything else is foreign text and stays out of prose."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a delivery was not accepted. It explains; it never makes a delivery valid.

    Attributes:
        cause: the first thing to fix.
        explanation: what happened, for every cause found together.
        fix: what to do; None where there is nothing to do.
        code_python: a line for a Python receiver, or None.
        code_node: the same for Node, or None.
        proven: the signature was recomputed and fits under this explanation (or the clock comparison proves it).
        also: further causes, found by the same proof.
        app: whose secret made the signature, when it is another app's.
    """

    cause: Cause
    explanation: str
    fix: str | None
    code_python: str | None
    code_node: str | None
    proven: bool
    also: tuple[Cause, ...] = ()
    app: str | None = None

    @property
    def fix_with_code(self) -> str | None:
        """The fix and its lines of code as one text."""
        lines = [self.fix]
        lines += [f"Python: {self.code_python}"] if self.code_python else []
        lines += [f"Node: {self.code_node}"] if self.code_node else []
        return "\n".join(line for line in lines if line) or None


def describe(causes: Sequence[Cause], *, proven: bool, note: str = "", app: str | None = None) -> Diagnosis:
    """Return the diagnosis in words. `note` is ours, too: how the signed body differs from the one that came."""
    advice = [ADVICE[cause] for cause in causes]
    sentences = [each.explanation for each in advice]
    sentences += [f"The signed one is {note}."] if note else []
    sentences += [f"That app is '{app}'."] if app and _PLAIN_NAME.fullmatch(app) else []
    coded = next((each for each in advice if each.code_python), advice[0])
    return Diagnosis(
        cause=causes[0],
        explanation=" ".join(sentences),
        fix=" ".join(each.fix for each in advice if each.fix) or None,
        code_python=coded.code_python,
        code_node=coded.code_node,
        proven=proven,
        also=tuple(causes[1:]),
        app=app,
    )


def with_diagnosis(verification: Verification, diagnosis: Diagnosis | None) -> Verification:
    """Return the verification with the diagnosis' cause, explanation and fix; the verdict stays what it is."""
    if diagnosis is None:
        return verification
    return verification._replace(cause=diagnosis.cause, explanation=diagnosis.explanation, fix=diagnosis.fix_with_code)
