"""`chekt-mcp allow-list diff`: what changed from one version to another."""

from __future__ import annotations

from collections.abc import Iterator

from chekt_mcp.cli.allow_list.chosen import add_app, chosen_app, stored_version, version_number
from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.domain.allow_list import Entry, diff
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.allow_list.stored_list import stored_entries

COMMENT = 120


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("before", metavar="VERSION", type=version_number, help="the version to compare")
    parser.add_argument(
        "after",
        metavar="VERSION",
        type=version_number,
        nargs="?",
        help="the version to compare it with (default: the newest)",
    )
    add_app(parser)


def run(command: Command) -> int:
    """Print the difference."""
    carry_out(_compare(command))
    return 0


async def _compare(command: Command) -> None:
    async with opened(command) as session:
        app = await chosen_app(session)
        before = await stored_version(session, app, command.args.before)
        after = await _after(session, app, before)
        session.terminal.say("\n".join([f"from {_title(before)}", f"to   {_title(after)}", *_lines(before, after)]))


async def _after(session: Session, app: App, before: AllowListVersion) -> AllowListVersion:
    number: int | None = session.command.args.after
    if number is not None:
        return await stored_version(session, app, number)
    return await session.services.storage.read(lambda reader: reader.allow_list(app.dealer, app.name)) or before


def _title(version: AllowListVersion) -> str:
    state = "on" if version.enabled else "OFF"
    return f"version {version.version}, {state}, since {rfc3339(version.effective_at)}"


def _lines(before: AllowListVersion, after: AllowListVersion) -> Iterator[str]:
    old, new = stored_entries(before), stored_entries(after)
    changed, comments = diff(old, new), {**_comments(new), **_comments(old)}
    yield from (f"- {network}{comments[network]}" for network in changed.removed)
    comments |= _comments(new)
    yield from (f"+ {network}{comments[network]}" for network in changed.added)
    yield from (f"~ {one.network}{_shown(one.before)} -> {_shown(one.after)}" for one in changed.comments)
    if changed.is_empty and not changed.comments:
        yield "The entries are the same."


def _comments(entries: tuple[Entry, ...]) -> dict[str, str]:
    return {entry.network: _shown(entry.comment) for entry in reversed(entries)}


def _shown(comment: str | None) -> str:
    return f"  # {escaped(comment, COMMENT)}" if comment else ""
