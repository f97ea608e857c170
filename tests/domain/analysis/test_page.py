"""docs/analysis.md explains every finding and names every threshold, with the numbers that hold."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from pathlib import Path

from chekt_mcp.config import ANALYSIS
from chekt_mcp.domain.analysis.finding import Code
from chekt_mcp.domain.analysis.thresholds import Thresholds

PAGE = (Path(__file__).parents[3] / "docs" / "analysis.md").read_text("utf-8")


def test_every_finding_has_its_section_in_the_order_of_the_codes() -> None:
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == [code.value for code in Code]


def test_every_threshold_is_told_with_its_default_and_what_it_may_be() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+), (\d+) \|$", PAGE, re.MULTILINE)
    told = {name: tuple(map(int, numbers)) for name, *numbers in rows}
    assert told == {one.name: (one.default, *ANALYSIS[one.name]) for one in fields(Thresholds)}


def test_what_can_be_set_is_what_there_is() -> None:
    assert list(ANALYSIS) == [one.name for one in fields(Thresholds)]
    for name, default in asdict(Thresholds()).items():
        low, high = ANALYSIS[name]
        assert low <= default <= high
        assert f"`{name}`" in PAGE.split("## Thresholds", maxsplit=1)[0]
