"""Leases end, whatever the clock does; a sealed copy may be shown for an hour and no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import storage_samples as sample
from chekt_mcp.domain.rotation import DELIVERY_LEASE, REVEALABLE, Rotation, RotationState

TICK = timedelta(microseconds=1)
STARTED = sample.rotation(lease_until=sample.NOW + DELIVERY_LEASE)
DONE = replace(STARTED, state=RotationState.COMPLETED, ended_at=sample.NOW)


@pytest.mark.parametrize(
    ("away", "leased"),
    [
        (timedelta(0), True),
        (DELIVERY_LEASE - TICK, True),
        (DELIVERY_LEASE, False),
        (-DELIVERY_LEASE + TICK, True),
        (-DELIVERY_LEASE, False),
        (timedelta(days=-3650), False),
    ],
)
def test_a_lease_holds_for_two_minutes_and_not_for_a_clock_that_ran_ahead(away: timedelta, leased: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    assert STARTED.leased_at(sample.NOW + away) is leased


@pytest.mark.parametrize(
    ("state", "undelivered"),
    [
        (RotationState.DELIVERING, True),
        (RotationState.DELIVERY_UNKNOWN, True),
        (RotationState.COMPLETED, False),
        (RotationState.FAILED, False),
        (RotationState.IN_PORTAL, False),
    ],
)
def test_only_what_may_still_be_delivered_is_undelivered(state: RotationState, undelivered: bool) -> None:  # noqa: FBT001 -- as above
    assert replace(STARTED, state=state).undelivered is undelivered


def test_a_key_in_force_may_be_shown_for_an_hour() -> None:
    assert DONE.revealable_at(sample.NOW)
    assert DONE.revealable_at(sample.NOW + REVEALABLE - TICK)
    assert not DONE.revealable_at(sample.NOW + REVEALABLE)


@pytest.mark.parametrize(
    "other",
    [
        replace(DONE, sealed=None),
        replace(DONE, ended_at=None),
        *(replace(DONE, state=state) for state in RotationState if state is not RotationState.COMPLETED),
    ],
)
def test_nothing_else_may_be_shown(other: Rotation) -> None:
    assert not other.revealable_at(sample.NOW)
