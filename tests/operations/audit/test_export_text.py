"""Details are exported as the JSON objects they are, and what is none as an empty one."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.operations.audit.export_text import PLAIN_DETAILS, details_text

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)


def refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


@given(st.from_regex(PLAIN_DETAILS, fullmatch=True))
def test_what_passes_for_plain_is_an_object_and_hides_nothing(stored: str) -> None:
    assert isinstance(json.loads(stored, parse_constant=refuse), dict)
    assert stored.isascii()
    assert stored.isprintable()


@given(st.dictionaries(st.text(max_size=5), SCALARS, max_size=4), st.booleans())
def test_an_object_comes_back_as_it_was(details: dict[str, object], ascii_only: bool) -> None:  # noqa: FBT001 -- given
    stored = json.dumps(details, separators=(",", ":"), ensure_ascii=ascii_only)
    assert json.loads(details_text(stored)) == details
    assert details_text(stored) == stored or not stored.isprintable() or not ascii_only


@pytest.mark.parametrize(
    "stored",
    [
        '{"a":1}\n',
        '{"a":01}',
        '{"a":-}',
        '{"a":1,}',
        '{"a":"b"c"}',
        '{"a":"\\"}',
        '{"a":tru}',
        '{"a":+1}',
        '{"a"}',
        "{,}",
        '{"a":1}{"b":2}',
        '{"a":' + "9" * 5000 + "}",
    ],
)
def test_what_only_looks_like_an_object_is_read_before_it_is_believed(stored: str) -> None:
    assert PLAIN_DETAILS.fullmatch(stored) is None
    assert details_text(stored) in ("{}", '{"a":1}')
