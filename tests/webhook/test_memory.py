from __future__ import annotations

import json

from chekt_mcp import webhook

SECRET = "chekt_whsec_test_EXAMPLE0000000000000000000000000"  # noqa: S105  a made-up one
NOW = 1_771_200_000


class Clock:
    now = float(NOW)

    def __call__(self) -> float:
        return self.now


def _verified(event_id: str | None, timestamp: int = NOW) -> webhook.Verification:
    body = json.dumps({"id": event_id}).encode()
    headers = {"X-CHeKT-Signature": webhook.sign(SECRET, timestamp, body), "X-CHeKT-Timestamp": str(timestamp)}
    return webhook.verify(headers, body, SECRET, now=timestamp)


def test_a_remembered_delivery_is_seen_and_another_is_not() -> None:
    recent = webhook.RecentDeliveries(Clock())
    assert not recent.seen(_verified("evt_1"))
    recent.remember(_verified("evt_1"))
    assert recent.seen(_verified("evt_1"))
    assert not recent.seen(_verified("evt_2"))


def test_a_retry_signed_afresh_is_recognised_by_its_event() -> None:
    recent = webhook.RecentDeliveries(Clock())
    recent.remember(_verified("evt_1"))
    assert recent.seen(_verified("evt_1", NOW + 3600))


def test_a_delivery_without_an_event_is_recognised_by_its_digest() -> None:
    recent = webhook.RecentDeliveries(Clock())
    recent.remember(_verified(None))
    assert recent.seen(_verified(None))
    assert not recent.seen(_verified(None, NOW + 1))


def test_deliveries_are_forgotten_after_48_hours_and_not_before() -> None:
    clock = Clock()
    recent = webhook.RecentDeliveries(clock)
    recent.remember(_verified("evt_1"))
    clock.now = NOW + 48 * 3600
    assert recent.seen(_verified("evt_1"))
    clock.now += 1
    assert not recent.seen(_verified("evt_1"))


def test_remembering_again_keeps_a_delivery_longer_and_loses_none() -> None:
    clock = Clock()
    recent = webhook.RecentDeliveries(clock)
    recent.remember(_verified("evt_1"))
    clock.now += 3600
    recent.remember(_verified("evt_2"))
    recent.remember(_verified("evt_1"))
    clock.now = NOW + 48 * 3600 + 1
    assert recent.seen(_verified("evt_1"))
    assert recent.seen(_verified("evt_2"))


def test_what_is_not_genuine_takes_up_no_room() -> None:
    recent = webhook.RecentDeliveries(Clock())
    forged = webhook.verify({}, b"{}", SECRET, now=NOW)
    recent.remember(forged)
    assert not recent.seen(forged)
