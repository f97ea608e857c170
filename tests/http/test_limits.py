"""The files of the rates: what cannot be used is said, and a disk that fills up later ends nobody."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from chekt_mcp.errors import StateUnusable
from chekt_mcp.http.limits import open_rates


@pytest.mark.skipif(sys.platform != "linux", reason="only there a file can be given its room before it is written")
def test_the_rates_have_their_room_on_the_disk_before_anybody_calls(tmp_path: Path) -> None:
    sparse = tmp_path / "rates-apps"
    sparse.touch()
    os.truncate(sparse, 256 * 1024)  # as an earlier version has left it
    open_rates(tmp_path).close()
    for name in ("rates-apps", "rates-addresses"):
        status = (tmp_path / name).stat()
        assert status.st_blocks * 512 >= status.st_size > 0


def test_rates_that_cannot_be_used_are_said(tmp_path: Path) -> None:
    (tmp_path / "rates-addresses").mkdir()
    with pytest.raises(StateUnusable) as refused:
        open_rates(tmp_path)
    assert refused.value.code == "rates_unusable"
