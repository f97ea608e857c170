"""Signing secrets as a program has them at hand: a string, two during a rotation, or None from the environment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from chekt_mcp.domain.webhook import SigningSecret

Secrets = str | Sequence[str | None] | None
"""The current secret, or the current and the previous one; None stands for one that is not configured."""


def signing_secrets(secret: Secrets) -> tuple[SigningSecret, ...]:
    """Return them labelled: the first given is the current one, any other a previous one that is still live."""
    if isinstance(secret, str):
        return labelled(secret)
    return labelled(*secret) if secret is not None else ()


@lru_cache(maxsize=8)  # a program has one or two, and keeps them in memory anyway: the key's hash states are kept, too
def labelled(*values: str | None) -> tuple[SigningSecret, ...]:
    """Return the secrets that are given, the first as the current one."""
    given = [value for value in values if value is not None]
    return tuple(SigningSecret(value, "previous" if at else "current") for at, value in enumerate(given))
