"""A cursor opens the page it was made for, in the query it was made for, and nothing else."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.audit import Position
from chekt_mcp.domain.cursor import EPOCH, Cursor, microseconds, seal, unseal
from chekt_mcp.domain.timespan import Window
from chekt_mcp.errors import InvalidInput

SECRET = b"example cursor secret, 32 bytes."
QUERY = {"dealer": "acme", "apps": ("front-desk", "shop"), "since": "24h", "until": None, "actor": "app:shop"}
NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
CURSOR = Cursor(Window(NOW - timedelta(hours=24), NOW), Position(microseconds(NOW) - 5, 77))
MOMENTS = st.datetimes(timezones=st.just(UTC))
CURSORS = st.builds(
    Cursor, st.builds(Window, MOMENTS, MOMENTS), st.builds(Position, st.integers(), st.integers(min_value=0))
)
QUERIES = st.dictionaries(st.text(), st.none() | st.text() | st.lists(st.text()))


def refused(text: str, query: dict[str, object] | None = None, secret: bytes = SECRET) -> bool:
    with pytest.raises(InvalidInput) as caught:
        unseal(text, QUERY if query is None else query, secret)
    return (caught.value.code, caught.value.field) == ("bad_cursor", "cursor")


@given(CURSORS, QUERIES)
def test_a_cursor_comes_back_exactly(cursor: Cursor, query: dict[str, object]) -> None:
    assert unseal(seal(cursor, query, SECRET), query, SECRET) == cursor


@given(st.data())
def test_a_cursor_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    sealed = seal(CURSOR, QUERY, SECRET)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters().filter(lambda character: character != sealed[at]))
    assert refused(sealed[:at] + other + sealed[at + 1 :])


@given(
    st.text()
    | st.text().map("c2.".__add__)
    | st.tuples(st.text(), st.text()).map(lambda parts: f"c2.{'.'.join(parts)}")
)
def test_an_invented_cursor_is_refused_whatever_it_is(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    "text", ["", "c2", "c2..", "c2.\ud800.\ud800", "c1." + "A" * 20, "\0", "c1.WzFd.AAAA", "." * 300]
)
def test_odd_cursors_are_refused_and_nothing_worse(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("extra", ["", " ", "=", ".", "\n", "A"])
def test_a_cursor_with_something_added_is_refused(extra: str) -> None:
    sealed = seal(CURSOR, QUERY, SECRET)
    if extra:
        assert refused(sealed + extra)
        assert refused(extra + sealed)
    assert unseal(sealed, QUERY, SECRET) == CURSOR


@pytest.mark.parametrize(
    "change", [{"dealer": "other"}, {"apps": ("front-desk",)}, {"since": "48h"}, {"until": "1h"}, {"actor": "app:desk"},
               {"text": "x"}]
)  # fmt: skip
def test_a_cursor_of_another_query_is_refused(change: dict[str, object]) -> None:
    assert refused(seal(CURSOR, QUERY, SECRET), {**QUERY, **change})


def test_a_cursor_does_not_depend_on_the_order_of_the_filters() -> None:
    assert unseal(seal(CURSOR, QUERY, SECRET), dict(reversed(QUERY.items())), SECRET) == CURSOR


def test_a_cursor_of_another_installation_is_refused() -> None:
    assert refused(seal(CURSOR, QUERY, b"another secret"))


def test_the_seal_has_128_bits_and_the_cursor_fits_its_argument() -> None:
    longest = Cursor(
        Window(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)), Position(-(2**63), 2**63)
    )
    sealed = seal(longest, QUERY, SECRET)
    assert len(sealed.rpartition(".")[2]) == 22
    assert len(sealed) <= 300


def test_numbers_without_a_seal_are_refused() -> None:
    payload = base64.urlsafe_b64encode(json.dumps([0, 1, 2, 3]).encode()).decode().rstrip("=")
    assert refused(f"c2.{payload}.{'A' * 22}")
    assert refused(f"c2.{payload}.")


@given(MOMENTS)
def test_microseconds_are_exact(moment: datetime) -> None:
    assert EPOCH + timedelta(microseconds=microseconds(moment)) == moment
