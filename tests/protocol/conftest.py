"""Both protocol eras, for every test that asks for one."""

from __future__ import annotations

import pytest

from world import Era


@pytest.fixture(params=["modern", "legacy"])
def era(request: pytest.FixtureRequest) -> Era:
    return request.param  # type: ignore[no-any-return]  # the params above
