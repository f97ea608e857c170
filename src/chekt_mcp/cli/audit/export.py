"""`chekt-mcp audit export`: a window of the log as a file that is whole or not there, with a signed manifest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chekt_mcp.cli.arguments import DONE, Parser
from chekt_mcp.cli.audit.progress_bar import ProgressBar
from chekt_mcp.cli.audit.selection import add_selection, chosen_apps, given_fields, given_filters
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.domain.export_manifest import Manifest
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.export_audit import ExportProgress, ExportRequest, export_log
from chekt_mcp.operations.audit.export_file import ExportFile, manifest_path
from chekt_mcp.operations.audit.export_format import ExportFormat
from chekt_mcp.operations.audit.export_target import ExportStream, Target, target_of
from chekt_mcp.operations.audit.import_tally import ImportProgress

STANDARD_OUTPUT = "-"
STDOUT = 1


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("file", metavar="FILE", help="where to; - writes to standard output")
    parser.add_argument(
        "--format", choices=[form.value for form in ExportFormat], help="(default: by the end of FILE, else csv)"
    )
    add_selection(parser, "90d")
    parser.add_argument("--fields", metavar="LIST", help="fields by commas (default: all)")
    parser.add_argument(
        "--proofs", action="store_true", help="evidence: each entry as it was hashed, and FILE.proof beside it (jsonl)"
    )
    parser.add_argument("--manifest", metavar="FILE", help="(default: FILE.manifest.json; none for standard output)")
    parser.add_argument("--force", action="store_true", help="replace files that are there")


def run(command: Command) -> int:
    """Export, and say what went where; standard output is the export's own if that is where it goes."""
    manifest = carry_out(_export(command))
    tell = command.terminal.note if command.args.file == STANDARD_OUTPUT else command.terminal.say
    for line in _lines(manifest, command):
        tell(line)
    return DONE


async def _export(command: Command) -> Manifest:
    args = command.args
    form = _format(command)
    async with opened(command) as session:
        dealer = await session.dealer()
        apps = await chosen_apps(session, dealer, args.app)
        call = session.operator.call(dealer, "", session.services.clock())
        request = ExportRequest(
            apps=apps,
            dealer_wide=not args.app,
            since=args.since,
            until=args.until,
            filters=given_filters(args),
            fields=given_fields(args),
            form=form,
            proofs=args.proofs,
        )
        with ProgressBar() as bar:

            def show(progress: ExportProgress) -> None:
                bar.show(ImportProgress(progress.done, progress.of, progress.rows, 0, 0))

            whole = replace(call, grant=replace(call.grant, apps=apps))
            return await export_log(session.services, whole, request, _target(command), show)


def _format(command: Command) -> ExportFormat:
    if command.args.format is not None:
        return ExportFormat(command.args.format)
    ending = Path(command.args.file).suffix.removeprefix(".")
    if ending in set(ExportFormat):
        return ExportFormat(ending)
    return ExportFormat.JSONL if command.args.proofs else ExportFormat.CSV


def _target(command: Command) -> Target:
    args = command.args
    named = Path(args.manifest).expanduser() if args.manifest else None
    if args.file == STANDARD_OUTPUT:
        if args.proofs:
            raise InvalidInput("Proofs need a file.", field="file", code="proofs_need_file", fix="Name a file.")
        beside = ExportFile(named, force=args.force) if named else None
        return Target(ExportStream(STDOUT), beside)
    path = Path(args.file).expanduser()
    return target_of(path, named or manifest_path(path), proofs=args.proofs, force=args.force)


def _lines(manifest: Manifest, command: Command) -> list[str]:
    args, rows = command.args, counted(manifest.rows, "entry", "entries")
    lines = [f"Exported {rows}, {manifest.since} to {manifest.until}."]
    if args.file == STANDARD_OUTPUT and not args.manifest:
        return [*lines, "No manifest was written: nothing vouches for this copy. --manifest FILE writes one."]
    beside = args.manifest or str(manifest_path(Path(args.file)))
    return [
        *lines,
        f"SHA-256 {manifest.file.sha256}, {manifest.file.bytes:,} bytes; manifest {escaped(beside, 300)}.",
        f"Checkpoint at {counted(manifest.log_size, 'entry', 'entries')}, key {manifest.log_key}",
        "It holds personal data (actors, addresses): keep it no longer than you need it.",
    ]
