"""`chekt-mcp audit correlate`: an application's own log beside the audit log, and what is on one side only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chekt_mcp.cli.arguments import DONE, FAILED, Parser, tell_findings
from chekt_mcp.cli.audit.correlation_report import as_json, as_text
from chekt_mcp.cli.audit.matching import LineTally, ids_in, pieces
from chekt_mcp.cli.audit.progress_bar import ProgressBar
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.domain.request_pattern import RequestPattern, request_pattern
from chekt_mcp.domain.timespan import parse_window
from chekt_mcp.operations.audit.correlate_log import Correlator, app_to_correlate
from chekt_mcp.operations.audit.import_tally import ImportProgress
from chekt_mcp.operations.audit.log_correlation import LogCorrelation
from chekt_mcp.operations.audit.log_file.text_log import TextLog, opened_text


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found, how the file was read, and whether it was written to meanwhile."""

    result: LogCorrelation
    tally: LineTally
    changed: bool


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    tell_findings(parser, "0 nothing is on one side only, 1 something is, 2 there is no answer")
    parser.add_argument("file", metavar="LOGFILE", help="the application's log: nginx, Apache, JSON lines; also gzip")
    parser.add_argument(
        "--pattern",
        metavar="REGEX",
        help="what a request id is; the first group, if there is one (default: req_… of CHeKT, and the JSON fields "
        "request_id, requestId and X-Request-Id)",
    )
    parser.add_argument("--since", metavar="TIME", default="90d", help="RFC 3339, or 15m, 24h, 90d (default: 90d)")
    parser.add_argument("--app", metavar="NAME", help="app whose log it is, where there are several")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="(default: text)")


def run(command: Command) -> int:
    """Compare, and tell by the exit code: 0 nothing is one-sided, 1 something is, 2 there is no answer."""
    compared = carry_out(_compare(command, Path(command.args.file).expanduser(), request_pattern(command.args.pattern)))
    report = as_json if command.args.format == "json" else as_text
    command.terminal.say(report(compared.result, compared.tally))
    for note in _notes(compared):
        command.terminal.note(f"note: {note}")
    return FAILED if compared.result.one_sided else DONE


async def _compare(command: Command, file: Path, pattern: RequestPattern) -> Compared:
    args = command.args
    with opened_text(file) as log:
        async with opened(command) as session:
            storage, dealer = session.services.storage, await session.dealer()
            window = parse_window(args.since, None, session.services.clock())
            app = await app_to_correlate(storage, dealer, args.app)
            correlator = await Correlator.begin(storage, dealer, app, window)
            with ProgressBar() as bar:
                tally = await _read(log, pattern, correlator, bar)
                result = await correlator.finish(lambda walked, of: bar.show(ImportProgress(walked, of, walked, 0, 0)))
            return Compared(result, tally, log.changed())


async def _read(log: TextLog, pattern: RequestPattern, correlator: Correlator, bar: ProgressBar) -> LineTally:
    tally = LineTally()
    for piece in pieces(log.lines()):
        await correlator.take(ids_in(piece, pattern, tally))
        bar.show(ImportProgress(log.position, log.size, tally.lines, 0, 0))
    return tally


def _notes(compared: Compared) -> list[str]:
    result, tally, notes = compared.result, compared.tally, []
    if tally.lines == tally.without_id:
        notes.append("no line holds a request id. Say with --pattern what one looks like in this file.")
    if result.log.oldest is None or result.log.oldest > result.window.since:
        notes.append("the audit log begins within the window: of what is older it knows nothing.")
    if compared.changed:
        notes.append("the file was written to meanwhile: its newest lines may not have been read.")
    return notes
