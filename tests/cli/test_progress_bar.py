"""A bar says how far it is, how fast it goes and how long it takes yet, to a person and to nobody else."""

from __future__ import annotations

import io

import pytest

from chekt_mcp.cli.audit.progress_bar import ProgressBar
from chekt_mcp.operations.audit.import_tally import ImportProgress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, screen: io.StringIO, *steps: tuple[float, ImportProgress]) -> list[str]:
    monkeypatch.setattr("sys.stderr", screen)
    moments = iter([moment for moment, _ in steps])
    with ProgressBar(lambda: next(moments)) as bar:
        for _, progress in steps:
            bar.show(progress)
    return [one.replace("\x1b[K", "") for one in screen.getvalue().split("\r")[1:-1]]


def at(read: int, rows: int, skipped: int = 0) -> ImportProgress:
    return ImportProgress(read, 1_000, rows, rows, 0, skipped)


def test_rate_and_time_left_are_told_from_the_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = drawn(monkeypatch, Screen(), (0.0, at(100, 1_000)), (4.0, at(200, 9_000)), (9.0, at(910, 90_000)))
    assert lines == [
        "[###...........................]  10%  1,000 rows",
        "[######........................]  20%  9,000 rows  2,000/s  32 s left",
        "[###########################...]  91%  90,000 rows  9,889/s  1 s left",
    ]


def test_long_waits_are_told_in_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, Screen(), (0.0, at(0, 0)), (60.0, at(100, 10)))[-1].endswith("9 min left")


def test_rows_that_an_earlier_run_read_do_not_make_it_look_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ((0.0, at(300, 500, 300)), (3.0, at(500, 500, 500)), (6.0, at(600, 800, 500)))
    assert drawn(monkeypatch, Screen(), *steps)[-1].endswith("100/s  12 s left")


def test_nobody_looks_at_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    drawn(monkeypatch, screen, (0.0, at(100, 1)))
    assert screen.getvalue() == ""
