from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chekt_mcp.domain.webhook import MAX_BODY_BYTES, Cause, SigningSecret, Verdict, sign, verify

CURRENT = SigningSecret("chekt_whsec_test_EXAMPLE0000000000000000000000000", "current")
PREVIOUS = SigningSecret("chekt_whsec_test_EXAMPLE1111111111111111111111111", "previous")
EXPIRED = SigningSecret(PREVIOUS.value, "previous", live=False)
NOW = 1_771_200_000
BODY = b'{"id":"evt_2hKqx9","type":"alarm.created","created_at":"2026-02-16T00:00:00Z","data":{}}'
SIGNATURE = sign(CURRENT.value, NOW, BODY)
HEADERS = {"X-CHeKT-Signature": SIGNATURE, "X-CHeKT-Timestamp": str(NOW)}


def test_a_genuine_fresh_delivery_is_valid_and_true() -> None:
    verification = verify(HEADERS, BODY, [CURRENT], now=NOW + 3)
    assert verification
    assert (verification.verdict, verification.authentic, verification.fresh) == (Verdict.VALID, True, True)
    assert (verification.signed_with, verification.cause, verification.fix) == ("current", None, None)
    assert (verification.timestamp, verification.fresh_when_received, verification.seen) == (NOW, None, None)


@pytest.mark.parametrize(
    ("age", "verdict"), [(-301, "future"), (-300, "valid"), (0, "valid"), (300, "valid"), (300.5, "stale")]
)
def test_the_window_is_inclusive_both_ways(age: float, verdict: str) -> None:
    verification = verify(HEADERS, BODY, [CURRENT], now=NOW + age)
    assert (verification.verdict, verification.authentic) == (verdict, True)
    assert bool(verification) == verification.fresh == (verdict == "valid")


def test_the_window_can_be_configured() -> None:
    assert verify(HEADERS, BODY, [CURRENT], now=NOW + 11, window=10).verdict is Verdict.STALE
    assert verify(HEADERS, BODY, [CURRENT], now=NOW + 900, window=900).verdict is Verdict.VALID


@pytest.mark.parametrize("now", [float("nan"), float("inf"), float("-inf"), -1, 10**30])
def test_a_nonsensical_clock_never_makes_a_delivery_fresh(now: float) -> None:
    assert not verify(HEADERS, BODY, [CURRENT], now=now)


def test_the_previous_secret_verifies_while_it_is_live_and_is_named() -> None:
    headers = {**HEADERS, "X-CHeKT-Signature": sign(PREVIOUS.value, NOW, BODY)}
    verification = verify(headers, BODY, [CURRENT, PREVIOUS], now=NOW)
    assert (verification.verdict, verification.signed_with) == (Verdict.VALID, "previous")


def test_an_expired_previous_secret_never_verifies() -> None:
    headers = {**HEADERS, "X-CHeKT-Signature": sign(EXPIRED.value, NOW, BODY)}
    assert verify(headers, BODY, [CURRENT, EXPIRED], now=NOW).verdict is Verdict.INVALID
    assert verify(headers, BODY, [EXPIRED], now=NOW).verdict is Verdict.NO_SIGNING_SECRET


def test_received_at_answers_for_a_delivery_looked_at_later() -> None:
    later = verify(HEADERS, BODY, [CURRENT], now=NOW + 86_400, received_at=NOW + 5)
    assert (later.verdict, later.fresh, later.fresh_when_received) == (Verdict.STALE, False, True)
    assert later.cause == Cause.LOOKED_AT_LATER
    late = verify(HEADERS, BODY, [CURRENT], now=NOW + 86_400, received_at=NOW + 400)
    assert (late.fresh_when_received, late.cause) == (False, Cause.TIMESTAMP_TOO_OLD)
    fresh = verify(HEADERS, BODY, [CURRENT], now=NOW, received_at=NOW - 5)
    assert (fresh.verdict, fresh.fresh_when_received) == (Verdict.VALID, True)


def test_nothing_is_said_about_freshness_or_event_of_a_delivery_that_is_not_authentic() -> None:
    forged = verify({**HEADERS, "X-CHeKT-Signature": "0" * 64}, BODY, [CURRENT], now=NOW, received_at=NOW)
    assert (forged.verdict, forged.authentic, forged.fresh, forged.fresh_when_received) == (
        "invalid",
        False,
        False,
        None,
    )
    assert (forged.event, forged.event_id, forged.body_digest) == (None, None, None)


def test_an_event_that_is_stale_is_still_shown_for_it_is_genuine() -> None:
    stale = verify(HEADERS, BODY, [CURRENT], now=NOW + 999)
    assert stale.event is not None
    assert (stale.event.type, stale.event_id) == ("alarm.created", "evt_2hKqx9")


MALFORMED: list[tuple[str, Any, Cause]] = [
    ("no headers", {}, Cause.SIGNATURE_HEADER_MISSING),
    ("no signature", {"X-CHeKT-Timestamp": str(NOW)}, Cause.SIGNATURE_HEADER_MISSING),
    ("no timestamp", {"X-CHeKT-Signature": SIGNATURE}, Cause.TIMESTAMP_HEADER_MISSING),
    ("empty signature", {**HEADERS, "X-CHeKT-Signature": ""}, Cause.SIGNATURE_HEADER_MISSING),
    ("None", {**HEADERS, "X-CHeKT-Signature": None}, Cause.SIGNATURE_HEADER_MISSING),
    ("a number", {**HEADERS, "X-CHeKT-Timestamp": NOW}, Cause.HEADER_NOT_TEXT),
    ("a list", {**HEADERS, "X-CHeKT-Signature": [SIGNATURE]}, Cause.HEADER_NOT_TEXT),
    ("twice the same", [*HEADERS.items(), ("x-chekt-signature", SIGNATURE)], Cause.HEADER_REPEATED),
    ("two timestamps", [*HEADERS.items(), ("X-Chekt-Timestamp", "1")], Cause.HEADER_REPEATED),
    ("two cases in a mapping", {**HEADERS, "x-chekt-timestamp": str(NOW)}, Cause.HEADER_REPEATED),
    ("a Kelvin sign", {"X-CHe\u212aT-Signature": SIGNATURE, "X-CHeKT-Timestamp": "1"}, Cause.SIGNATURE_HEADER_MISSING),
    ("not headers", 7, Cause.HEADERS_UNREADABLE),
    ("none at all", None, Cause.HEADERS_UNREADABLE),
    ("a string", "X-CHeKT-Signature: abc", Cause.HEADERS_UNREADABLE),
    ("triples", [("X-CHeKT-Signature", SIGNATURE, 1)], Cause.HEADERS_UNREADABLE),
    ("an iterator that is used up", iter([("a", "b")]), Cause.HEADERS_UNREADABLE),
    ("negative", {**HEADERS, "X-CHeKT-Timestamp": "-1771200000"}, Cause.TIMESTAMP_NOT_UNIX_SECONDS),
    ("a fraction", {**HEADERS, "X-CHeKT-Timestamp": f"{NOW}.5"}, Cause.TIMESTAMP_NOT_UNIX_SECONDS),
    ("a date", {**HEADERS, "X-CHeKT-Timestamp": "2026-02-16T00:00:00Z"}, Cause.TIMESTAMP_NOT_UNIX_SECONDS),
    ("a lone surrogate", {**HEADERS, "X-CHeKT-Timestamp": "\ud800"}, Cause.TIMESTAMP_NOT_UNIX_SECONDS),
    ("milliseconds", {**HEADERS, "X-CHeKT-Timestamp": f"{NOW}000"}, Cause.TIMESTAMP_IN_MILLISECONDS),
    ("white space", {**HEADERS, "X-CHeKT-Signature": SIGNATURE + "\n"}, Cause.HEADER_HAS_WHITESPACE),
    ("quotes", {**HEADERS, "X-CHeKT-Signature": f'"{SIGNATURE}"'}, Cause.HEADER_HAS_QUOTES),
    ("hex with spaces", {**HEADERS, "X-CHeKT-Signature": SIGNATURE[:31] + " " * 2 + "0" * 31}, Cause.SIGNATURE_NOT_HEX),
    ("cut", {**HEADERS, "X-CHeKT-Signature": SIGNATURE[:-1]}, Cause.SIGNATURE_CUT),
    ("too long", {**HEADERS, "X-CHeKT-Signature": SIGNATURE + "00"}, Cause.SIGNATURE_TOO_LONG),
    ("not ASCII", {**HEADERS, "X-CHeKT-Signature": "é" + SIGNATURE[1:]}, Cause.SIGNATURE_NOT_HEX),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "cause"), [pytest.param(*case[1:], id=case[0]) for case in MALFORMED])
def test_a_delivery_that_cannot_be_read_is_malformed_and_says_why(headers: Any, cause: Cause) -> None:
    verification = verify(headers, BODY, [CURRENT], now=NOW)
    assert (verification.verdict, verification.cause) == (Verdict.MALFORMED, cause)
    assert verification.explanation
    assert verification.fix


class _Hostile(Mapping[str, str]):
    """A mapping that fails in the ways a framework's lazy headers can."""

    def __getitem__(self, name: str) -> str:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        return 1


def test_headers_that_raise_are_unreadable() -> None:
    assert verify(_Hostile(), BODY, [CURRENT], now=NOW).cause == Cause.HEADERS_UNREADABLE


@pytest.mark.parametrize("body", ["text", None, {"id": "evt_1"}, 5, ["x"]])
def test_a_body_that_is_not_bytes_is_malformed(body: Any) -> None:
    verification = verify(HEADERS, body, [CURRENT], now=NOW)
    assert (verification.verdict, verification.cause) == (Verdict.MALFORMED, Cause.BODY_NOT_BYTES)


@pytest.mark.parametrize("as_type", [bytearray, memoryview])
def test_other_buffers_are_taken_as_bytes(as_type: type[Any]) -> None:
    verification = verify(HEADERS, as_type(BODY), [CURRENT], now=NOW)
    assert (verification.verdict, verification.body) == (Verdict.VALID, BODY)


def test_a_body_of_1_mib_is_checked_and_a_larger_one_is_not() -> None:
    body = b"x" * MAX_BODY_BYTES
    headers = {**HEADERS, "X-CHeKT-Signature": sign(CURRENT.value, NOW, body)}
    assert verify(headers, body, [CURRENT], now=NOW)
    headers = {**HEADERS, "X-CHeKT-Signature": sign(CURRENT.value, NOW, body + b"x")}
    assert verify(headers, body + b"x", [CURRENT], now=NOW).cause == Cause.BODY_TOO_LARGE


def test_other_headers_may_hold_anything() -> None:
    odd: Any = [*HEADERS.items(), ("Cookie", None), ("Content-Length", 7), (b"raw", b"\xff"), ("", "")]
    assert verify(odd, BODY, [CURRENT], now=NOW)


def test_malformed_comes_before_invalid_and_invalid_before_stale() -> None:
    broken = {"X-CHeKT-Signature": "sha256=" + "0" * 64, "X-CHeKT-Timestamp": "yesterday"}
    assert verify(broken, BODY, [CURRENT], now=NOW).verdict is Verdict.MALFORMED
    forged = {**HEADERS, "X-CHeKT-Signature": "0" * 64}
    assert verify(forged, BODY, [CURRENT], now=NOW + 10**6).verdict is Verdict.INVALID


def test_no_secret_is_said_whatever_the_delivery_looks_like() -> None:
    assert verify({}, BODY, [], now=NOW).verdict is Verdict.NO_SIGNING_SECRET
    assert verify(HEADERS, BODY, [], now=NOW).verdict is Verdict.NO_SIGNING_SECRET


def test_neither_body_nor_signature_shows_in_the_repr() -> None:
    shown = repr(verify(HEADERS, BODY, [CURRENT], now=NOW))
    assert "evt_2hKqx9" not in shown
    assert SIGNATURE not in shown
