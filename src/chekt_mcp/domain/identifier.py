"""Identifiers we hand out: a readable prefix and 100 random bits, too many to guess."""

from __future__ import annotations

import base64

from chekt_mcp.domain.api_key import RandomBytes

LENGTH = 20


def new_id(kind: str, random: RandomBytes) -> str:
    """Return `kind` and 20 base-32 characters, e.g. `apr_x5k2…`. Kinds: req, apr, rot, key, imp."""
    return f"{kind}_{base64.b32encode(random(13)).decode().lower()[:LENGTH]}"
