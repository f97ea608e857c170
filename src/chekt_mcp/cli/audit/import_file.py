"""`chekt-mcp audit import`: bring in a log that CHeKT exported; any number of times, with the same end."""

from __future__ import annotations

import gc
from pathlib import Path

from chekt_mcp.cli.arguments import FAILED, Parser, add_passphrase
from chekt_mcp.cli.audit.progress_bar import ProgressBar
from chekt_mcp.cli.audit.reading import chosen_reading
from chekt_mcp.cli.audit.rejects_file import rejects_file
from chekt_mcp.cli.audit.row_problem import problem_words
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.import_mapping import Reading
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.audit.import_audit import import_log
from chekt_mcp.operations.audit.import_tally import ImportReport

APPS_NAMED = 5
"""Unknown apps that are named, those with the most rows first."""


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("file", metavar="FILE", help="the export, also packed with gzip; its format is found out")
    parser.add_argument("--map", metavar="FILE", help="mapping of another log's names and words to ours (JSON)")
    parser.add_argument("--timezone", metavar="ZONE", help="zone of times that name none: Europe/Berlin, +02:00")
    parser.add_argument("--rejects", metavar="FILE", help="write the rows that are not taken to this new file")
    add_passphrase(parser)


def run(command: Command) -> int:
    """Import, and fail when the file held nothing that could be taken."""
    reading, rejects = chosen_reading(command), command.args.rejects
    file = Path(command.args.file).expanduser()
    try:
        report = carry_out(_import(command, file, reading, Path(rejects).expanduser() if rejects is not None else None))
    except KeyboardInterrupt:
        command.terminal.note("What was stored stays. Run the same command again: it goes on behind that.")
        raise
    for line in _lines(report):
        command.terminal.say(line)
    if report.added or report.known:
        return 0
    command.terminal.note("error: nothing_imported: The file holds no row that could be taken.")
    return FAILED


def collect_seldom() -> None:
    """Look for garbage cycles a hundredth as often: an import makes hundreds of objects a row, and no cycles."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


async def _import(command: Command, file: Path, reading: Reading, rejects: Path | None) -> ImportReport:
    async with opened(command) as session:
        dealer = await session.dealer()
        await authorise(session, dealer, None)
        collect_seldom()
        with rejects_file(rejects) as reject, ProgressBar() as bar:
            return await import_log(
                session.services,
                dealer=dealer,
                file=file,
                imported_by=session.operator.principal,
                progress=bar.show,
                reading=reading,
                reject=reject,
            )


def _lines(report: ImportReport) -> list[str]:
    if report.file_known:
        usable = counted(report.known, "usable row", "usable rows")
        return [
            f"This very file was imported before, as {report.import_id}; there is nothing to add.",
            f"It held {usable} and {report.rejected:,} that could not be taken.",
        ]
    lines = [f"Import {report.import_id}: {report.added:,} new, {report.known:,} known, {report.rejected:,} rejected."]
    if report.first_timestamp and report.last_timestamp:
        lines.append(f"Its rows are of {rfc3339(report.first_timestamp)} to {rfc3339(report.last_timestamp)}.")
    return [*lines, *_rejected(report), *_remarks(report)]


def _rejected(report: ImportReport) -> list[str]:
    lines = [f"  {problem_words(one)}" for one in report.problems]
    more = report.rejected - len(report.problems)
    return [*lines, f"  and {more:,} more"] if more else lines


def _remarks(report: ImportReport) -> list[str]:
    lines = []
    if report.resumed_at:
        rows = counted(report.resumed_at, "row", "rows")
        lines.append(f"It went on from an import that was interrupted; {rows} had been read before.")
    if report.past_retention:
        lines.append(_past_retention(report.past_retention))
    if report.unknown_app_rows:
        lines.append(_unknown_apps(report))
    if report.redacted:
        lines.append(
            f"{counted(report.redacted, 'value', 'values')} held something shaped like a key, left out of what was "
            "stored. It stands in the file in clear: rotate it."
        )
    if report.file_changed:
        lines.append("The file was written to meanwhile: import it once more when that is over.")
    return lines


def _past_retention(count: int) -> str:
    rows = counted(count, "row is", "rows are")
    return (
        f"{rows} older than the dealer's plan keeps, and a prune would remove them again. To take them for an"
        " investigation, place a hold first (`chekt-mcp audit hold set`); seven years are kept by the enterprise plan"
        " (`chekt-mcp audit retention --plan enterprise`)."
    )


def _unknown_apps(report: ImportReport) -> str:
    most = sorted(report.unknown_apps.items(), key=lambda one: (-one[1], one[0]))
    names = [escaped(name, 60) for name, _ in most[:APPS_NAMED]]
    more = ["…"] if len(most) > APPS_NAMED else []
    rows = counted(report.unknown_app_rows, "row is", "rows are")
    what, them = ("an app", "it") if len(most) == 1 else ("apps", "them")
    return (
        f"{rows} of {what} not known here ({', '.join([*names, *more])}): add {them} with `chekt-mcp app add` or "
        f"`app adopt`; until then no search shows these rows."
    )
