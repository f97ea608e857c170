"""`chekt-mcp audit verify-export`: is an export what was exported; with the files alone, on any machine."""

from __future__ import annotations

import json
from pathlib import Path

from chekt_mcp.cli.arguments import DONE, FAILED, Parser, tell_findings
from chekt_mcp.cli.command import Command
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.signed_note import LONGEST
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.export_check import ExportCheck, ExportStatus, Given, check_export
from chekt_mcp.operations.audit.export_file import manifest_path, proof_path

UNVOUCHED = 3
EXIT_CODES = {ExportStatus.VERIFIED: DONE, ExportStatus.ALTERED: FAILED, ExportStatus.CONSISTENT: UNVOUCHED}


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.description = "Check an export without the log and without a network."
    tell_findings(parser, "0 verified, 1 altered, 2 there is no answer, 3 consistent, but nobody told whose key it is")
    parser.add_argument("file", metavar="FILE", help="the export")
    parser.add_argument("--manifest", metavar="FILE", help="(default: FILE.manifest.json)")
    parser.add_argument("--proof", metavar="FILE", help="of an export with proofs (default: FILE.proof)")
    parser.add_argument("--key", metavar="KEY", help="the log's verifier key, name+id+key, that you had from elsewhere")
    parser.add_argument("--against", metavar="FILE", help="a checkpoint of the log that you kept")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="(default: text)")


def run(command: Command) -> int:
    """Check, and tell by the exit code."""
    check = check_export(_given(command))
    command.terminal.say(_as_json(check) if command.args.format == "json" else _as_text(check))
    return EXIT_CODES[check.status]


def _given(command: Command) -> Given:
    args, file = command.args, Path(command.args.file).expanduser()
    return Given(
        file,
        Path(args.manifest).expanduser() if args.manifest else manifest_path(file),
        Path(args.proof).expanduser() if args.proof else proof_path(file),
        args.key,
        _kept(Path(args.against).expanduser()) if args.against else None,
    )


def _kept(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST * 4 + 1).decode("utf-8", "replace")
    except OSError:
        raise InvalidInput("The checkpoint cannot be read.", field="against", code="unreadable_file") from None


def _as_text(check: ExportCheck) -> str:
    manifest = check.manifest
    counted_rows = "not counted" if check.rows is None else f"{check.rows:,}"
    whose = ", ".join(manifest.apps) + " and the dealer as a whole" * manifest.dealer_wide
    lines = [
        *(f"problem: {problem.code}: {problem.message}" for problem in check.problems),
        f"dealer {_shown(manifest.dealer)}: {_shown(whose)}",
        f"{_shown(manifest.since)} to {_shown(manifest.until)}, filter {_shown(json.dumps(manifest.filter))}",
        f"exported {_shown(manifest.exported_at)} by {_shown(manifest.exported_by)}",
        f"entries: {manifest.rows:,} by the manifest, {counted_rows} in the file",
        f"log of {manifest.log_size:,} entries, key {_shown(str(check.key), 400)}",
        f"each entry in the log: {_inclusion(check)}",
        _verdict(check),
    ]
    return "\n".join(lines)


def _inclusion(check: ExportCheck) -> str:
    if check.included:
        return "shown"
    return "not shown" if check.manifest.proof is not None else "not asked for (export with --proofs)"


def _verdict(check: ExportCheck) -> str:
    match check.status:
        case ExportStatus.ALTERED:
            return "ALTERED: this is not what was exported."
        case ExportStatus.CONSISTENT:
            return (
                "CONSISTENT, but nobody told me whose key this is: whoever made the files could have made the key. "
                "Give --key or --against that you had from elsewhere."
            )
        case ExportStatus.VERIFIED:
            return "VERIFIED: signed with the key that you vouch for."


def _as_json(check: ExportCheck) -> str:
    told = {
        "status": check.status.value,
        "problems": [{"code": problem.code, "message": problem.message} for problem in check.problems],
        "rows": check.rows,
        "entries_in_log_shown": check.included,
        "same_size_as_kept_checkpoint": check.compared,
        "key": str(check.key),
        "manifest_rows": check.manifest.rows,
        "dealer": check.manifest.dealer,
        "log_size": check.manifest.log_size,
        "sha256": check.manifest.file.sha256,
    }
    return json.dumps(told, indent=1)


def _shown(text: str, limit: int = 200) -> str:
    return escaped(text, limit)
