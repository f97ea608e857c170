"""Each caller has a bucket of its own, the same before and after a key rotation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chekt_mcp.domain.scope import Grant
from chekt_mcp.domain.token_bucket import Rate
from chekt_mcp.errors import NotPermitted
from chekt_mcp.operations.caller_rate import CallerRate

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SHOP = Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(), key_id="key_1")


def test_one_caller_too_many_is_told_when_to_come_back() -> None:
    rate = CallerRate(Rate(2, timedelta(minutes=1)))
    rate.spend(SHOP, NOW)
    rate.spend(replace(SHOP, key_id="key_2"), NOW)
    with pytest.raises(NotPermitted) as refused:
        rate.spend(SHOP, NOW)
    assert refused.value.code == "rate_limited"
    assert "30 s" in refused.value.fix
    rate.spend(SHOP, NOW + timedelta(seconds=30))


def test_other_callers_and_other_dealers_are_not_held_up() -> None:
    rate = CallerRate(Rate(1, timedelta(minutes=1)))
    rate.spend(SHOP, NOW)
    rate.spend(replace(SHOP, principal="app:desk"), NOW)
    rate.spend(replace(SHOP, dealer="other"), NOW)


def test_a_refused_call_costs_nothing_more() -> None:
    rate = CallerRate(Rate(1, timedelta(minutes=1)))
    rate.spend(SHOP, NOW)
    for second in range(1, 60):
        with pytest.raises(NotPermitted):
            rate.spend(SHOP, NOW + timedelta(seconds=second))
    rate.spend(SHOP, NOW + timedelta(minutes=1))
