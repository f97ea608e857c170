"""Whatever is done to a genuine delivery, it is not valid any more; and whatever arrives, nothing raises."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from chekt_mcp.domain.webhook import SigningSecret, Verdict, diagnose, sign, verify

CURRENT = SigningSecret("chekt_whsec_test_EXAMPLE0000000000000000000000000", "current")
PREVIOUS = SigningSecret("chekt_whsec_test_EXAMPLE1111111111111111111111111", "previous")
NOW = 1_771_200_000
BODY = b'{"id":"evt_2hKqx9","type":"alarm.created","data":{"note":"caf\xc3\xa9"}}'
HEADERS = {"X-CHeKT-Signature": sign(CURRENT.value, NOW, BODY), "X-CHeKT-Timestamp": str(NOW)}
_junk = st.one_of(st.none(), st.integers(), st.text(max_size=80), st.binary(max_size=80), st.lists(st.text(max_size=5)))
_name = st.one_of(st.sampled_from([*HEADERS, "x-chekt-signature", "X-Webhook-Signature"]), st.text(max_size=20), _junk)
_edit = st.tuples(st.integers(0, len(BODY)), st.integers(0, 3), st.binary(max_size=3))


def _not_valid(headers: Any, body: bytes) -> bool:
    return verify(headers, body, [CURRENT, PREVIOUS], now=NOW).verdict in (Verdict.INVALID, Verdict.MALFORMED)


@given(_edit)
def test_a_body_with_any_edit_is_not_valid(edit: tuple[int, int, bytes]) -> None:
    at, removed, inserted = edit
    changed = BODY[:at] + inserted + BODY[at + removed :]
    assume(changed != BODY)
    assert _not_valid(HEADERS, changed)


@given(st.integers(0, len(BODY) * 8 - 1))
def test_a_body_with_any_bit_flipped_is_not_valid(bit: int) -> None:
    flipped = bytearray(BODY)
    flipped[bit // 8] ^= 1 << bit % 8
    assert _not_valid(HEADERS, bytes(flipped))


@given(st.integers(0, 63), st.characters())
@example(0, "\u0660")
def test_a_signature_with_any_other_character_is_not_valid(at: int, character: str) -> None:
    signature = HEADERS["X-CHeKT-Signature"]
    assume(character.lower() != signature[at])
    changed = signature[:at] + character + signature[at + 1 :]
    assert _not_valid({**HEADERS, "X-CHeKT-Signature": changed}, BODY)


@given(st.text(max_size=14))
@example(f"0{NOW}")
@example(f"{NOW} ")
@example("".join(chr(ord(digit) + 0xFEE0) for digit in str(NOW)))
def test_any_other_timestamp_is_not_valid(timestamp: str) -> None:
    assume(timestamp != str(NOW))
    assert _not_valid({**HEADERS, "X-CHeKT-Timestamp": timestamp}, BODY)


@given(st.text(max_size=80), st.sampled_from(sorted(HEADERS)))
def test_a_header_given_a_second_time_is_not_valid(value: str, name: str) -> None:
    for pairs in ([*HEADERS.items(), (name.lower(), value)], [(name.swapcase(), value), *HEADERS.items()]):
        assert _not_valid(pairs, BODY)


@given(st.text(min_size=1, max_size=60))
def test_any_other_secret_is_not_valid(secret: str) -> None:
    assume(secret.rstrip("\0") != CURRENT.value)  # HMAC pads a key with zeros (RFC 2104)
    assert not verify(HEADERS, BODY, [SigningSecret(secret, "current")], now=NOW)


@given(st.lists(st.tuples(_name, _junk), max_size=6), st.binary(max_size=200))
def test_no_headers_and_no_body_raise(pairs: list[tuple[Any, Any]], body: bytes) -> None:
    headers: Any = pairs
    assert verify(headers, body, [CURRENT], now=NOW).verdict in (Verdict.INVALID, Verdict.MALFORMED)
    diagnose(headers, body, [CURRENT], now=NOW, budget=40)


@settings(max_examples=60)
@given(
    st.one_of(_junk, st.dictionaries(st.text(max_size=9), _junk)),
    st.one_of(_junk, st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2))),
    st.text(max_size=8),
)
def test_no_object_at_all_raises(headers: Any, body: Any, secret: str) -> None:
    secrets = [SigningSecret(secret, "current")]
    assert not verify(headers, body, secrets, now=NOW)
    diagnose(headers, body, secrets, now=NOW, budget=40)


@settings(max_examples=60)
@given(st.text(max_size=70), st.text(max_size=20), st.binary(max_size=300))
def test_diagnosing_anything_raises_nothing_and_accepts_nothing(signature: str, timestamp: str, body: bytes) -> None:
    headers = {"X-CHeKT-Signature": signature, "X-CHeKT-Timestamp": timestamp}
    before = verify(headers, body, [CURRENT], now=NOW)
    diagnosis = diagnose(headers, body, [CURRENT, PREVIOUS], now=NOW, budget=200)
    assert not before
    assert diagnosis is None or not diagnosis.proven
