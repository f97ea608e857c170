from __future__ import annotations

import itertools
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.errors import SecretUnreadable
from chekt_mcp.secrets.sealing import Sealer

KEK, OTHER_KEK = bytes(range(32)), bytes(range(1, 33))
VALUE = "chekt_whsec_test_EXAMPLEEXAMPLEEXAMPLEEXAMPLE"
SEALER = Sealer(KEK, os.urandom)
WRAPPED = SEALER.new_data_key("acme")
SEALED = SEALER.seal(WRAPPED, "acme", "key/1", VALUE)
names = st.text(max_size=20)


def refusal(attempt: Callable[[], object]) -> str:
    with pytest.raises(SecretUnreadable) as caught:
        attempt()
    assert caught.value.__context__ is None
    return str(caught.value)


@given(st.text(alphabet=st.characters(codec=None), max_size=300), names, names)
def test_what_is_sealed_opens_again(value: str, dealer: str, identity: str) -> None:
    wrapped = SEALER.new_data_key(dealer)
    assert SEALER.open(wrapped, dealer, identity, SEALER.seal(wrapped, dealer, identity, value)) == value


def test_every_flipped_bit_is_noticed_and_all_refusals_are_alike() -> None:
    messages = set()
    for at, bit in itertools.product(range(len(SEALED)), range(8)):
        changed = bytearray(SEALED)
        changed[at] ^= 1 << bit
        messages.add(refusal(lambda changed=changed: SEALER.open(WRAPPED, "acme", "key/1", bytes(changed))))  # type: ignore[misc]
    for at, bit in itertools.product(range(len(WRAPPED)), range(8)):
        changed = bytearray(WRAPPED)
        changed[at] ^= 1 << bit
        messages.add(refusal(lambda changed=changed: SEALER.open(bytes(changed), "acme", "key/1", SEALED)))  # type: ignore[misc]
    assert len(messages) == 1


@given(st.integers(0, len(SEALED) - 1), st.binary(max_size=5))
def test_a_cut_or_lengthened_text_does_not_open(length: int, more: bytes) -> None:
    refusal(lambda: SEALER.open(WRAPPED, "acme", "key/1", SEALED[:length]))
    refusal(lambda: SEALER.open(WRAPPED, "acme", "key/1", SEALED + b"\x00" + more))


@given(names.filter(lambda name: name != "key/1"))
def test_a_value_moved_to_another_row_does_not_open(identity: str) -> None:
    refusal(lambda: SEALER.open(WRAPPED, "acme", identity, SEALED))


@given(names.filter(lambda name: name != "acme"))
def test_a_value_or_data_key_of_another_dealer_does_not_open(dealer: str) -> None:
    refusal(lambda: SEALER.open(WRAPPED, dealer, "key/1", SEALED))
    refusal(lambda: SEALER.open(SEALER.new_data_key(dealer), dealer, "key/1", SEALED))
    refusal(lambda: SEALER.seal(WRAPPED, dealer, "key/1", VALUE))


@given(st.binary(min_size=32, max_size=32).filter(lambda key: key != KEK))
def test_another_key_encryption_key_opens_nothing(key: bytes) -> None:
    refusal(lambda: Sealer(key, os.urandom).open(WRAPPED, "acme", "key/1", SEALED))


def test_dealer_and_row_cannot_be_shifted_into_each_other() -> None:
    sealer = Sealer(KEK, lambda length: b"r" * length)  # both dealers get the same data key: only the binding differs
    sealed = sealer.seal(sealer.new_data_key("ab"), "ab", "c", VALUE)
    refusal(lambda: sealer.open(sealer.new_data_key("a"), "a", "bc", sealed))


def test_a_wrapped_data_key_never_opens_as_a_value_even_under_the_same_key() -> None:
    sealer = Sealer(KEK, lambda length: KEK[:length])
    wrapped = sealer.new_data_key("acme")
    refusal(lambda: sealer.open(wrapped, "acme", "", wrapped))
    refusal(lambda: sealer.open(sealer.seal(wrapped, "acme", "", VALUE), "acme", "", wrapped))


@given(st.binary(max_size=100))
def test_no_bytes_make_it_fail_otherwise(sealed: bytes) -> None:
    refusal(lambda: SEALER.open(WRAPPED, "acme", "key/1", sealed))
    refusal(lambda: SEALER.open(sealed, "acme", "key/1", SEALED))


def test_the_format_is_a_version_byte_then_a_fresh_nonce() -> None:
    drawn = iter([b"n" * 12, b"m" * 12])
    sealer = Sealer(KEK, lambda _: next(drawn))
    first, second = (sealer.seal(WRAPPED, "acme", "key/1", VALUE) for _ in range(2))
    assert (first[:13], second[:13]) == (b"\x01" + b"n" * 12, b"\x01" + b"m" * 12)
    assert first[13:] != second[13:]
    assert len(first) == 1 + 12 + len(VALUE) + 16


def test_each_data_key_is_new() -> None:
    assert SEALER.new_data_key("acme") != SEALER.new_data_key("acme")


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33])
def test_a_key_encryption_key_of_another_length_is_refused(key: bytes) -> None:
    assert refusal(lambda: Sealer(key, os.urandom))


def test_the_sealer_does_not_show_its_key() -> None:
    assert repr(KEK)[2:-1] not in repr(SEALER)
    assert not hasattr(SEALER, "__dict__")
