"""`chekt-mcp allow-list history`: every version, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.cli.allow_list.chosen import add_app, chosen_app
from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.table import table
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.allow_list.stored_list import stored_entries

HEADINGS = ("VERSION", "SINCE", "STATE", "ENTRIES", "BY", "WHY")
SHOWN = 20


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    add_app(parser)
    parser.add_argument("--all", action="store_true", help=f"every version (default: the newest {SHOWN})")


def run(command: Command) -> int:
    """Print one line for each."""
    carry_out(_list(command))
    return 0


async def _list(command: Command) -> None:
    async with opened(command) as session:
        app = await chosen_app(session)
        newest = await session.services.storage.read(lambda reader: reader.allow_list(app.dealer, app.name))
        total = newest.version if newest else 0
        limit = total if command.args.all else SHOWN
        versions = await session.services.storage.scan(
            lambda reader: reader.allow_list_history(app.dealer, app.name, limit)
        )
        session.terminal.say(_listed(app, versions))
        if len(versions) < total:
            session.terminal.note(f"note: {total - len(versions)} older versions are listed with --all.")


def _listed(app: App, versions: Sequence[AllowListVersion]) -> str:
    if not versions:
        return f"{app.name} never had an allow list."
    return table(HEADINGS, [_row(version) for version in versions])


def _row(version: AllowListVersion) -> tuple[str, ...]:
    return (
        str(version.version),
        rfc3339(version.effective_at),
        "on" if version.enabled else "OFF",
        _entries(version),
        escaped(version.set_by, 80),
        escaped(version.reason),
    )


def _entries(version: AllowListVersion) -> str:
    try:
        return str(len(stored_entries(version)))
    except Unavailable:
        return "damaged"
