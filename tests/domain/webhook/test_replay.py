from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.webhook import (
    EVENT_ID_SECONDS,
    LEASE_SECONDS,
    Claim,
    LeaseState,
    Seen,
    SigningSecret,
    Verdict,
    Verification,
    decide_claim,
    lease_until,
    remember_event_until,
    remember_until,
    sign,
    strictest,
    verify,
    with_replay,
)

SECRET = SigningSecret("chekt_whsec_test_EXAMPLE0000000000000000000000000", "current")
NOW = 1_771_200_000
BODY = b'{"id":"evt_2hKqx9","type":"alarm.created"}'
FIRST = datetime(2026, 2, 16, tzinfo=UTC)


def _verified(
    now: int = NOW, *, signature: str | None = None, body: bytes = BODY, timestamp: int = NOW
) -> Verification:
    signed = sign(SECRET.value, timestamp, body)
    headers = {"X-CHeKT-Signature": signature or signed, "X-CHeKT-Timestamp": str(timestamp)}
    return verify(headers, body, [SECRET], now=now)


def test_the_first_sight_of_a_delivery_is_valid_and_the_second_is_replayed() -> None:
    first, second = with_replay(_verified(), 1, FIRST), with_replay(_verified(), 2, FIRST)
    assert (first.verdict, first.duplicate, first.seen) == (Verdict.VALID, False, Seen(1, FIRST))
    assert (second.verdict, second.duplicate, second.seen) == (Verdict.REPLAYED, True, Seen(2, FIRST))
    assert bool(first)
    assert not second
    assert (second.authentic, second.fresh, second.cause) == (True, True, "delivered_before")
    assert second.fix


def test_a_delivery_never_seen_before_stays_valid() -> None:
    unseen = with_replay(_verified(), 0, None)
    assert (unseen.verdict, unseen.duplicate, unseen.seen) == (Verdict.VALID, False, Seen(0, None))


@pytest.mark.parametrize(("now", "verdict"), [(NOW + 999, Verdict.STALE), (NOW - 999, Verdict.FUTURE)])
def test_stale_and_future_come_before_replayed(now: int, verdict: Verdict) -> None:
    seen = with_replay(_verified(now), 5, FIRST)
    assert (seen.verdict, seen.duplicate, seen.seen) == (verdict, True, Seen(5, FIRST))


def test_a_retry_signed_afresh_is_valid_and_a_duplicate() -> None:
    retry = with_replay(_verified(NOW + 60, timestamp=NOW + 60), 1, FIRST, event_times=2)
    assert (retry.verdict, retry.duplicate) == (Verdict.VALID, True)


def test_what_is_not_authentic_is_left_as_it_is() -> None:
    forged = _verified(signature="0" * 64)
    assert with_replay(forged, 9, FIRST) is forged


def test_the_digest_covers_just_what_the_signature_covers() -> None:
    assert _verified().body_digest == hashlib.sha256(b"%d." % NOW + BODY).digest()
    assert _verified(signature="0" * 64).body_digest is None


def test_a_replay_with_fresh_id_headers_has_the_same_digest_and_event_id() -> None:
    headers = {"X-CHeKT-Signature": sign(SECRET.value, NOW, BODY), "X-CHeKT-Timestamp": str(NOW)}
    disguised = {**headers, "X-CHeKT-Event-Id": "evt_new", "X-CHeKT-Delivery-Id": "del_new", "X-CHeKT-Attempt": "9"}
    original, replay = (verify(each, BODY, [SECRET], now=NOW) for each in (headers, disguised))
    assert replay.body_digest == original.body_digest
    assert (replay.event_id, original.event_id) == ("evt_2hKqx9", "evt_2hKqx9")


@given(st.integers(0, 10**11), st.integers(0, 10**5), st.integers(-(10**5), 10**5))
def test_a_digest_is_remembered_as_long_as_it_could_be_accepted_and_twice_the_window(
    timestamp: int, window: int, offset: int
) -> None:
    received = timestamp + max(-window, min(window, offset))
    assert remember_until(timestamp, window) >= timestamp + window
    assert remember_until(timestamp, window) >= received + 2 * window


def test_event_ids_outlast_a_day_of_retries() -> None:
    assert EVENT_ID_SECONDS >= 48 * 3600
    assert remember_event_until(NOW) == NOW + EVENT_ID_SECONDS


@pytest.mark.parametrize(
    ("state", "ends", "claim"),
    [
        (None, 0, Claim.GRANTED),
        (LeaseState.LEASED, NOW + 1, Claim.HELD),
        (LeaseState.LEASED, NOW, Claim.GRANTED),
        (LeaseState.COMPLETED, NOW + 1, Claim.COMPLETED),
        (LeaseState.COMPLETED, 0, Claim.COMPLETED),
    ],
)
def test_a_lease_is_held_until_it_ends_and_a_completed_one_for_good(
    state: LeaseState | None, ends: float, claim: Claim
) -> None:
    assert decide_claim(state, ends, NOW) is claim


def test_a_crash_between_claim_and_hand_on_lets_the_retry_through() -> None:
    ends = lease_until(NOW)
    assert decide_claim(LeaseState.LEASED, ends, NOW + LEASE_SECONDS - 1) is Claim.HELD
    assert decide_claim(LeaseState.LEASED, ends, NOW + LEASE_SECONDS) is Claim.GRANTED


def test_of_several_claims_the_strictest_holds() -> None:
    assert strictest(Claim.GRANTED, Claim.HELD, Claim.COMPLETED) is Claim.COMPLETED
    assert strictest(Claim.GRANTED, Claim.HELD) is Claim.HELD
    assert strictest(Claim.GRANTED) is strictest() is Claim.GRANTED
