"""The one JSON decoder for foreign files: strict, without the NaN and Infinity that JSON does not know (RFC 8259)."""

from __future__ import annotations

import json
from typing import NoReturn


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("This is not JSON.")


DECODER = json.JSONDecoder(parse_constant=_refuse)
