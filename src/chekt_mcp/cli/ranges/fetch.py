"""`chekt-mcp ranges fetch`: a provider's published ranges as allow-list text. It puts nothing in force."""

from __future__ import annotations

import os
from pathlib import Path

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out
from chekt_mcp.cli.ranges.kept_documents import DocumentFiles
from chekt_mcp.cli.ranges.notes import notes
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.published_ranges import choose
from chekt_mcp.domain.range_text import list_text
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import InvalidInput
from chekt_mcp.network.https_document import HttpsDocuments
from chekt_mcp.operations.ranges.fetch_ranges import fetch_ranges
from chekt_mcp.operations.ranges.range_sources import RangeSources
from chekt_mcp.secrets.whole_file import open_directory, temporary_file


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("source", metavar="SOURCE", help="github, circleci, gitlab, an https:// URL, or a file")
    parser.add_argument("--kind", metavar="LIST", default="", help="lists of the document, by commas (default: all)")
    parser.add_argument("--merge", action="store_true", help="join neighbours and overlaps into fewer entries")
    parser.add_argument(
        "--shared", action="store_true", help="mark a URL's or file's entries as those of all customers of a provider"
    )
    parser.add_argument("--output", metavar="FILE", help="write the entries there (default: standard output)")


def run(command: Command) -> int:
    """Fetch over the network as it is."""
    from chekt_mcp.wiring import system_clock  # noqa: PLC0415 -- brings the storage engine

    kept = DocumentFiles(command.settings().state)
    return fetch(command, RangeSources(HttpsDocuments(), kept, system_clock))


def fetch(command: Command, sources: RangeSources) -> int:
    """Fetch, write the entries, and say beside them what a person should know."""
    args, terminal = command.args, command.terminal
    kinds = [kind for kind in args.kind.split(",") if kind]
    obtained = carry_out(fetch_ranges(args.source, sources, shared=args.shared))
    chosen = choose(obtained.lists, kinds)
    written = list_text(obtained.origin, chosen, merge=args.merge)
    if args.output is None:
        terminal.say(written.text.removesuffix("\n"))
    else:
        _write(Path(args.output), written.text.encode())
        terminal.say(f"{escaped(args.output)}: {counted(written.entries, 'entry', 'entries')}.")
    for note in notes(obtained, chosen, written, named=bool(kinds)):
        terminal.note(f"note: {note}")
    return 0


def _write(file: Path, content: bytes) -> None:
    """Put a file in place, whole; one that is there is replaced.

    Raises:
        InvalidInput: code `unwritable_file`.
    """
    try:
        if file.exists() and not file.is_file():
            raise FileExistsError
        with open_directory(file.parent) as directory, temporary_file(directory, file.name, content) as temporary:
            os.rename(temporary, file.name, src_dir_fd=directory, dst_dir_fd=directory)
    except (OSError, ValueError):  # the latter for a path that no system has
        fix = "Name an ordinary file in a directory where you may write."
        raise InvalidInput("The file cannot be written.", field="output", code="unwritable_file", fix=fix) from None
