"""`chekt-mcp audit verify`: has the log been altered. The exit code is for runbooks."""

from __future__ import annotations

import json
import time
from pathlib import Path

from chekt_mcp.cli.arguments import DONE, FAILED, Parser, tell_findings
from chekt_mcp.cli.audit.progress_bar import ProgressBar
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.signed_note import LONGEST
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.import_tally import ImportProgress
from chekt_mcp.operations.audit.prove_entries import prove_entries
from chekt_mcp.operations.audit.verify_log import LogVerifier, Status
from chekt_mcp.operations.audit.verify_report import VerifyAuditLog, report, summary
from chekt_mcp.operations.audit.vouchers import GivenCheckpoint

UNANCHORED = 3
"""Exit code: nothing wrong was found, and nobody outside vouches for it, or not all of it was looked at."""

CODES = {Status.VERIFIED: DONE, Status.TAMPERED: FAILED, Status.UNANCHORED: UNANCHORED}
NEWEST = 1_000_000
"""Rows looked at without --full: some thirty seconds."""
WORTH_TELLING = 10_000
"""Rows from which on the speed says something."""


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    tell_findings(
        parser,
        "0 verified (all of it fits, and a checkpoint from outside vouches for it), 1 tampered, "
        "2 there is no answer, 3 nothing wrong was found, but nobody outside vouches for it or not all was looked at",
    )
    parser.add_argument(
        "--against", metavar="FILE", action="append", default=[], help="a checkpoint you kept; may be repeated"
    )
    parser.add_argument(
        "--full", action="store_true", help=f"look at every row (default: at the newest {NEWEST:,}, and the whole tree)"
    )
    parser.add_argument(
        "--request-id", metavar="ID", action="append", default=[], help="prove this request's entries; may be repeated"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text", help="(default: text)")


def run(command: Command) -> int:
    """Verify, and tell by the exit code what came of it."""
    result = carry_out(_verify(command))
    as_json = command.args.format == "json"
    command.terminal.say(json.dumps(result, indent=1, ensure_ascii=False) if as_json else summary(result))
    return CODES[Status(result["status"])]


async def _verify(command: Command) -> VerifyAuditLog:
    against = [GivenCheckpoint(escaped(name), _content(name)) for name in command.args.against]
    async with opened(command) as session:
        dealer = await session.dealer()
        newest = None if command.args.full else NEWEST
        begun = time.monotonic()
        with ProgressBar() as bar:
            verified = await LogVerifier(session.services, dealer, newest, against).run(
                lambda done, of: bar.show(ImportProgress(done, of, done, 0, 0))
            )
        _tell_speed(command, verified.found.entries, time.monotonic() - begun)
        apps = [app.name for app in await session.services.storage.read(lambda reader: reader.apps(dealer))]
        proved = await session.services.storage.scan(
            lambda reader: prove_entries(reader, dealer, apps, command.args.request_id, verified)
        )
        _advise(session)
        return report(verified.with_problems(proved.problems), proved.proofs, proved.unknown)


def _tell_speed(command: Command, rows: int, seconds: float) -> None:
    if rows >= WORTH_TELLING:
        command.terminal.note(f"note: {rows:,} rows in {seconds:.1f} s, {rows / max(seconds, 1e-3):,.0f} a second.")


def _advise(session: Session) -> None:
    if not session.command.args.against and not session.services.anchors():
        session.terminal.note(
            "note: no checkpoint from outside was given and no anchor is configured. "
            "Keep one (`chekt-mcp audit checkpoint > FILE`, off this machine) and give it with --against."
        )


def _content(name: str) -> str:
    """Read a small file.

    Raises:
        InvalidInput: code `unreadable_file`.
    """
    try:
        with Path(name).expanduser().open("rb") as source:
            return source.read(LONGEST * 4 + 1).decode()
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(
            "A checkpoint file cannot be read as text.",
            field="against",
            code="unreadable_file",
            fix="Give a file as `chekt-mcp audit checkpoint` printed it.",
        ) from None
