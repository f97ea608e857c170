"""What is kept is counted in days from now, by plan."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chekt_mcp.domain.retention import Plan, kept_from


@pytest.mark.parametrize(
    ("plan", "oldest"),
    [
        (Plan.STANDARD, datetime(2025, 7, 1, 12, tzinfo=UTC)),
        (Plan.ENTERPRISE, datetime(2019, 7, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_year_or_seven_are_kept_to_the_second(plan: Plan, oldest: datetime) -> None:
    assert kept_from(plan, datetime(2026, 7, 1, 12, tzinfo=UTC)) == oldest
