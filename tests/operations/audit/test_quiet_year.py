"""Where nothing is wrong, little is said: days of a quiet year, analysed one by one, with the thresholds as they are.

Whole years of other seeds (one was used to set the thresholds, others to report) have 0.1 to 0.2 warnings a day for six
apps and six people, and no critical finding; docs/analysis.md has the numbers.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from chekt_mcp.domain.scope import Scope
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.audit.analysis.subject import Asked
from chekt_mcp.operations.audit.analyze_log import Analysis
from quiet_year import BEGIN, DEALER, OFFICE, SCOPES, QuietYear
from world import World

pytestmark = pytest.mark.anyio

SEED = 7
DAYS = 62
FIRST = 32
BATCH = 5_000


@pytest.fixture
async def quiet(world: World) -> World:
    """A dealer with nine weeks of entries in which nothing is wrong."""
    world.clock.now = BEGIN
    for app, scopes in SCOPES.items():
        listed = "\n".join(OFFICE) if app == "front-office" else None
        await world.add_app(app, dealer=DEALER, scopes=tuple(map(Scope, scopes)), allow_list=listed)
    entries = QuietYear(SEED, DAYS).entries()
    while batch := list(islice(entries, BATCH)):
        await world.log(*batch)
    return world


async def test_quiet_days_have_few_warnings_and_nothing_critical(quiet: World) -> None:
    year, found, compiled = QuietYear(SEED, DAYS), Counter[tuple[str, str]](), CompiledLists()
    for number in range(FIRST, DAYS):
        day, after = rfc3339(year.day(number)), year.day(number + 1)
        asked = Asked(DEALER, (*SCOPES, "dealer-portal", None), day, rfc3339(after))
        result = await Analysis(quiet.services(), compiled, asked, after).run()
        found.update((one["severity"], one["code"]) for one in result["findings"])
    days = DAYS - FIRST
    severe = Counter[str]()
    for (severity, _), times in found.items():
        severe[severity] += times
    assert severe["critical"] == 0
    assert severe["warning"] <= 0.35 * days, found
    assert severe["info"] <= 2 * days, found
    assert not {code for _, code in found} & {"outside_allow_list", "retired_key_used", "clock_went_back"}
