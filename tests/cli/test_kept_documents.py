"""The copies of fetched documents: private, whole, and not used when anything about them is not as it was written."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chekt_mcp.cli.ranges.kept_documents import DocumentFiles
from chekt_mcp.domain.published_document import KeptCopy

URL = "https://api.github.com/meta"
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
COPY = KeptCopy(b'{"actions":\n["203.0.113.7"]}\n', 'W/"EXAMPLE"', AT)
DAMAGED = (None, "The copy kept of this document is damaged or open to others; it is not used.")


@pytest.fixture
def kept(tmp_path: Path) -> DocumentFiles:
    return DocumentFiles(tmp_path)


@pytest.fixture
def file(kept: DocumentFiles) -> Path:
    assert kept.save(URL, COPY) == ""
    (found,) = (kept.state / "ranges").iterdir()
    return found


def test_a_copy_comes_back_as_it_was_kept(kept: DocumentFiles, file: Path) -> None:
    assert kept.load(URL) == (COPY, "")
    assert kept.load("https://api.github.com/meta?other") == (None, "")


def test_files_are_0600_in_a_0700_folder_whatever_the_umask(kept: DocumentFiles) -> None:
    earlier = os.umask(0)
    try:
        kept.save(URL, COPY)
    finally:
        os.umask(earlier)
    (found,) = (kept.state / "ranges").iterdir()
    assert stat.S_IMODE(found.stat().st_mode) == 0o600
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700


def test_a_copy_is_replaced_whole_and_nothing_is_left_beside_it(kept: DocumentFiles, file: Path) -> None:
    newer = KeptCopy(b"203.0.113.8\n", None, AT)
    assert kept.save(URL, newer) == ""
    assert kept.load(URL) == (newer, "")
    assert list(file.parent.iterdir()) == [file]


def test_without_a_state_directory_nothing_is_kept_and_nothing_is_made(tmp_path: Path) -> None:
    kept = DocumentFiles(tmp_path / "none")
    assert "chekt-mcp init" in kept.save(URL, COPY)
    assert kept.load(URL) == (None, "")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_cannot_be_written_is_said_in_words(kept: DocumentFiles) -> None:
    (kept.state / "ranges").write_text("in the way")
    assert kept.save(URL, COPY).startswith("No copy is kept for times without a network: ")


def test_every_damage_of_a_byte_is_noticed(kept: DocumentFiles, file: Path) -> None:
    sound = file.read_bytes()
    for at in range(len(sound)):
        file.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        copy, trouble = kept.load(URL)
        # In the head a changed digit may still be a time or a tag; the document itself is never another one.
        assert (copy, trouble) == DAMAGED or (copy is not None and copy.content == COPY.content), at
    for length in range(len(sound)):
        file.write_bytes(sound[:length])
        assert kept.load(URL) == DAMAGED, length


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 50_000,
        b'{"etag": 1, "at": "2026-05-01T12:00:00Z", "sha256": "%s"}',
        b'{"etag": null, "at": "2026-05-01T12:00:00", "sha256": "%s"}',
        b'{"etag": null, "at": "yesterday", "sha256": "%s"}',
        b'{"etag": null, "at": 5, "sha256": "%s"}',
        b'{"etag": null, "sha256": "%s"}',
    ],
)
def test_a_head_that_save_would_not_write_is_damage(kept: DocumentFiles, file: Path, head: bytes) -> None:
    empty = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    file.write_bytes(head.replace(b"%s", empty) + b"\n")
    assert kept.load(URL) == DAMAGED


def test_a_copy_that_others_could_write_or_read_is_not_used(kept: DocumentFiles, file: Path) -> None:
    file.chmod(0o620)
    assert kept.load(URL) == DAMAGED


def test_a_link_or_a_pipe_in_its_place_is_not_followed_and_not_waited_for(kept: DocumentFiles, file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    (kept.state / "elsewhere").write_bytes(content)
    file.symlink_to(kept.state / "elsewhere")
    assert kept.load(URL) == DAMAGED
    file.unlink()
    os.mkfifo(file, 0o600)
    assert kept.load(URL) == DAMAGED
