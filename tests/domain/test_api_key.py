"""Keys have the published form, are drawn without bias, and never show more than prefix and last four."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import ALPHABET, Key, KeyKind, KeyState, RandomBytes
from chekt_mcp.domain.app import Environment
from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.domain.identifier import new_id

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
PREFIXES = {
    (KeyKind.API_KEY, Environment.LIVE): "chekt_live_",
    (KeyKind.API_KEY, Environment.TEST): "chekt_test_",
    (KeyKind.SIGNING_SECRET, Environment.LIVE): "chekt_whsec_live_",
    (KeyKind.SIGNING_SECRET, Environment.TEST): "chekt_whsec_test_",
}
KINDS = st.sampled_from(sorted(PREFIXES))
SEEDS = st.binary(min_size=64, max_size=64)


class Drawn:
    """Random bytes that a test chose: these first, then zeros."""

    def __init__(self, first: bytes) -> None:
        self._bytes = iter(first)

    def __call__(self, count: int) -> bytes:
        return bytes(next(self._bytes, 0) for _ in range(count))


def minted(which: tuple[KeyKind, Environment], seed: bytes) -> str:
    return api_key.mint(*which, Drawn(seed))


@given(KINDS, SEEDS)
def test_a_minted_key_has_prefix_random_part_and_checksum(which: tuple[KeyKind, Environment], seed: bytes) -> None:
    key, (kind, environment) = minted(which, seed), which
    assert re.fullmatch(f"{PREFIXES[which]}[A-Za-z0-9]{{38}}", key)
    assert api_key.checksum_holds(key)
    assert api_key.environment_of(key, kind) is environment
    assert contains_credential(key)


@given(KINDS, SEEDS)
def test_a_credential_of_one_kind_is_never_taken_for_the_other(which: tuple[KeyKind, Environment], seed: bytes) -> None:
    (other,) = set(KeyKind) - {which[0]}
    assert api_key.environment_of(minted(which, seed), other) is None


def test_every_character_is_equally_likely() -> None:
    start = len("chekt_test_")
    taken = Counter(
        api_key.mint(KeyKind.API_KEY, Environment.TEST, Drawn(bytes([value]) * 64))[start] for value in range(248)
    )
    assert set(taken) == set(ALPHABET)
    assert set(taken.values()) == {4}


@pytest.mark.parametrize("value", range(248, 256))
def test_bytes_that_would_favour_some_characters_are_thrown_away(value: int) -> None:
    key = api_key.mint(KeyKind.API_KEY, Environment.TEST, Drawn(bytes([value]) * 64 + bytes([61]) * 64))
    assert key[len("chekt_test_") :][:32] == "z" * 32


@given(KINDS, SEEDS)
def test_the_checksum_catches_every_mistyped_character(which: tuple[KeyKind, Environment], seed: bytes) -> None:
    key = minted(which, seed)
    assert not any(api_key.checksum_holds(typo) for typo in substitutions(key, len(PREFIXES[which])))


@given(KINDS, SEEDS)
def test_the_checksum_catches_every_swap_of_neighbours(which: tuple[KeyKind, Environment], seed: bytes) -> None:
    key = minted(which, seed)
    swapped = (key[:at] + key[at + 1] + key[at] + key[at + 2 :] for at in range(len(key) - 1))
    assert not any(api_key.checksum_holds(typo) for typo in swapped if typo != key)


@given(KINDS, SEEDS, st.integers(1, 10))
def test_the_checksum_catches_a_missing_end(which: tuple[KeyKind, Environment], seed: bytes, missing: int) -> None:
    assert not api_key.checksum_holds(minted(which, seed)[:-missing])


def substitutions(key: str, start: int) -> Iterator[str]:
    for at in range(start, len(key)):
        for other in ALPHABET:
            if other != key[at]:
                yield key[:at] + other + key[at + 1 :]


@given(KINDS, st.text(ALPHABET, min_size=32, max_size=200))
def test_a_fingerprint_shows_prefix_and_last_four_and_no_more(which: tuple[KeyKind, Environment], body: str) -> None:
    shown = api_key.fingerprint(PREFIXES[which] + body)
    assert shown == f"{PREFIXES[which]}…{body[-4:]}"
    assert not contains_credential(shown)


@given(st.text())
def test_what_has_not_the_form_of_a_key_shows_nothing_at_all(text: str) -> None:
    assert api_key.fingerprint(text) == "…"


def test_what_was_pasted_in_place_of_a_key_is_not_shown_even_when_it_is_short() -> None:
    assert api_key.fingerprint("1234") == "…"
    assert api_key.fingerprint("correct horse battery staple") == "…"


@pytest.mark.parametrize(
    ("value", "environment"),
    [
        ("chekt_live_" + "E" * 32, Environment.LIVE),
        ("chekt_test_" + "E" * 32, Environment.TEST),
        ("chekt_test_" + "E" * 21, Environment.TEST),  # 32 characters, prefix and all: what CHeKT promises at least
        ("chekt_test_" + "E" * 200, Environment.TEST),
        ("chekt_test_" + "E" * 20, None),
        ("chekt_test_" + "E" * 201, None),
        ("chekt_TEST_" + "E" * 32, None),
        ("chekt_prod_" + "E" * 32, None),
        ("chekt_test_" + "E" * 31 + "_", None),
        ("chekt_test_" + "E" * 31 + "é", None),
        ("chekt_test_" + "E" * 32 + "\n", None),
        (" chekt_test_" + "E" * 32, None),
        ('"chekt_test_' + "E" * 32 + '"', None),
        ("", None),
    ],
)
def test_the_form_of_a_key_is_read_strictly(value: str, environment: Environment | None) -> None:
    assert api_key.environment_of(value, KeyKind.API_KEY) is environment


def test_a_signing_secret_has_32_random_characters_or_more() -> None:
    assert api_key.environment_of("chekt_whsec_test_" + "E" * 32, KeyKind.SIGNING_SECRET) is Environment.TEST
    assert api_key.environment_of("chekt_whsec_test_" + "E" * 31, KeyKind.SIGNING_SECRET) is None


HOUR = timedelta(hours=1)


def key_in(state: KeyState, valid_until: datetime | None) -> Key:
    return Key("key_a", "acme", "desk", KeyKind.API_KEY, state, "…", NOW - 100 * HOUR, valid_until)


@pytest.mark.parametrize(
    ("state", "valid_until"),
    [
        (KeyState.CURRENT, None),
        (KeyState.CURRENT, NOW - HOUR),
        (KeyState.PREVIOUS, NOW + HOUR),
        (KeyState.PREVIOUS, NOW + timedelta(microseconds=1)),
    ],
)
def test_a_current_key_and_a_previous_one_within_its_grace_open_something(
    state: KeyState, valid_until: datetime | None
) -> None:
    assert key_in(state, valid_until).live_at(NOW)


@pytest.mark.parametrize(
    ("state", "valid_until"),
    [
        (KeyState.PREVIOUS, NOW),
        (KeyState.PREVIOUS, NOW - HOUR),
        (KeyState.PREVIOUS, None),
        (KeyState.PENDING, NOW + HOUR),
        (KeyState.REVOKED, NOW + HOUR),
        (KeyState.VOID, NOW + HOUR),
    ],
)
def test_grace_ends_by_the_clock_and_no_other_key_opens_anything(state: KeyState, valid_until: datetime | None) -> None:
    assert not key_in(state, valid_until).live_at(NOW)


def test_the_hash_of_a_key_does_not_hold_it() -> None:
    key = "chekt_test_" + "EXAMPLE0" * 4
    assert len(api_key.key_hash(key)) == 32
    assert api_key.key_hash(key) != api_key.key_hash(key + "x")


@given(st.binary(min_size=13, max_size=13))
def test_an_identifier_is_its_kind_and_twenty_characters(random: bytes) -> None:
    assert re.fullmatch("apr_[a-z2-7]{20}", new_id("apr", lambda count: random[:count]))


@given(st.sets(st.integers(0, 2**100 - 1), min_size=2, max_size=2))
def test_identifiers_differ_in_every_one_of_a_hundred_random_bits(numbers: set[int]) -> None:
    assert len({new_id("apr", always((number << 4).to_bytes(13, "big"))) for number in numbers}) == 2


def always(drawn: bytes) -> RandomBytes:
    return lambda _: drawn
