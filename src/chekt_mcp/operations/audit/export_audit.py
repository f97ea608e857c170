"""Export a window of the log: a file, and beside it a signed manifest that says what the file holds.

1. A checkpoint is signed: it says how far the log goes. What comes later is not part of the export.
2. The entries up to there are read in the order of their numbers, some thousands at a time, each time on a snapshot
   of its own. Nothing written is ever changed, so together they are one state of the log, and however long it takes,
   the write-ahead log can be emptied in between. Pruning alone removes entries: an export that it met is refused.
3. File, proof and manifest are made durable; the log gets an entry that says who exported what; then they appear,
   the manifest first: a file under its own name is always whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from chekt_mcp import __version__
from chekt_mcp.domain.audit import Kind, NewEntry, Query, Result
from chekt_mcp.domain.export_manifest import FileStatement, Manifest
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.log_block import LogSpan
from chekt_mcp.domain.log_filter import canonical, with_filters
from chekt_mcp.domain.signed_note import SigningKey
from chekt_mcp.domain.timespan import parse_window
from chekt_mcp.errors import Conflict, InvalidInput
from chekt_mcp.operations.audit.checkpoint_key import signing_key
from chekt_mcp.operations.audit.export_evidence import Evidence
from chekt_mcp.operations.audit.export_format import Encoder, ExportFormat, chosen_fields, encoder_of
from chekt_mcp.operations.audit.export_target import Target
from chekt_mcp.operations.audit.export_text import moment_text
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import StoredCheckpoint

ACTION = "audit.export"
BLOCK = 10_000
"""Numbers of entries gone through on one snapshot: a few hundredths of a second."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is asked for; windows, filters and fields as in a search.

    `proofs`: evidence, see `export_evidence`. `most`: an export of more entries is refused. `export_id`: given where a
    name was needed before.
    """

    apps: tuple[str, ...]
    dealer_wide: bool = False
    since: str = "90d"
    until: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    fields: Sequence[str] | None = None
    form: ExportFormat = ExportFormat.CSV
    proofs: bool = False
    most: int | None = None
    export_id: str | None = None


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export is: numbers of the log gone through, of how many, and entries exported so far."""

    done: int
    of: int
    rows: int


Progress = Callable[[ExportProgress], None]


async def export_log(
    services: Services, call: Call, request: ExportRequest, target: Target, progress: Progress
) -> Manifest:
    """Export, and return the manifest as it was signed.

    Raises:
        InvalidInput: a window, filter or field that cannot be read; `proofs_need_all`; `too_many_rows`.
        Conflict: `file_exists`; `pruned_meanwhile`; `log_inconsistent`, where the log was altered.
        Unavailable: `disk_full`, `not_writable`, `no_parquet`, or the log or its key cannot be read.
    """
    window = parse_window(request.since, request.until, call.now)
    whose = Query(call.grant.dealer, request.apps, window.since, window.until, dealer_wide=request.dealer_wide)
    query, fields = with_filters(whose, request.filters), _fields(request)
    with ExitStack() as stack:
        for file in target.files:
            stack.enter_context(file)
        stack.enter_context(_uncollected())
        checkpoint = await make_checkpoint(services, query.dealer)
        key = await signing_key(services, query.dealer)
        encoder = _encoder(request, fields, target, checkpoint, query.dealer)
        return await _Export(services, call, request, query, fields, checkpoint, key).run(encoder, target, progress)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the garbage collector come between blocks only: to walk each of their rows took a fifth of all time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _encoder(
    request: ExportRequest, fields: tuple[str, ...], target: Target, checkpoint: StoredCheckpoint, dealer: str
) -> Encoder | Evidence:
    if target.proof is None:
        return encoder_of(request.form, fields)
    return Evidence(dealer, checkpoint, target.proof)


def _fields(request: ExportRequest) -> tuple[str, ...]:
    if request.proofs and (request.fields is not None or request.form is not ExportFormat.JSONL):
        raise InvalidInput(
            "Proofs are over whole entries, one a line.",
            field="proofs",
            code="proofs_need_all",
            fix="Choose the format jsonl, and leave `fields` out.",
        )
    return chosen_fields(request.fields)


@dataclass(slots=True)
class _Export:
    services: Services
    call: Call
    request: ExportRequest
    query: Query
    fields: tuple[str, ...]
    checkpoint: StoredCheckpoint
    key: SigningKey
    rows: int = 0
    first: int = 0
    last: int = 0

    async def run(self, encoder: Encoder | Evidence, target: Target, progress: Progress) -> Manifest:
        span = await self._span()
        target.output.write(encoder.head())
        for start in range(span.first, span.last + 1, BLOCK) if span.most else ():
            end = min(start + BLOCK - 1, span.last)
            await self.services.storage.scan(partial(self._blocks, encoder, target, start, end))
            self._refuse_too_many()
            gc.collect(0)  # what a block leaves behind is little, but there are many of them
            progress(ExportProgress(end - span.first + 1, span.last - span.first + 1, self.rows))
        await self._end(encoder, target)
        await self._refuse_pruned(span)
        return await self._publish(target)

    async def _span(self) -> LogSpan:
        """Return where to look; what was pruned since the checkpoint is not there any more, wherever it was."""

        async def work(reader: Reader) -> tuple[LogSpan, bool]:
            grown = (await reader.tree_head(self.query.dealer)).size > self.checkpoint.size
            pruned = grown and await self._was_pruned(reader, 0, self.checkpoint.size)
            return await reader.log_span(self.query), pruned

        span, pruned = await self.services.storage.scan(work)
        if pruned:
            raise _pruned_meanwhile()
        return replace(span, last=min(span.last, self.checkpoint.size))

    async def _blocks(self, encoder: Encoder | Evidence, target: Target, start: int, end: int, reader: Reader) -> None:
        """Read, write and count some entries; in the scan's thread, so that others can be answered meanwhile."""
        for block in await reader.log_blocks(self.query, start, end, encoder.at_once):
            written = await encoder.block(reader, block) if isinstance(encoder, Evidence) else encoder.block(block)
            target.output.write(written)
            self.rows += len(block)
            self.first, self.last = self.first or block.seq[0], block.seq[-1]

    async def _end(self, encoder: Encoder | Evidence, target: Target) -> None:
        if isinstance(encoder, Evidence):
            await self.services.storage.scan(encoder.rest)
        target.output.write(encoder.tail())

    def _refuse_too_many(self) -> None:
        if self.request.most is not None and self.rows > self.request.most:
            raise InvalidInput(
                f"More than {self.request.most:,} entries fit.",
                field="since",
                code="too_many_rows",
                fix="Narrow the window or the filters, or let a person run `chekt-mcp audit export` at a terminal.",
            )

    async def _refuse_pruned(self, span: LogSpan) -> None:
        """Refuse what pruning took entries away from meanwhile."""
        found = partial(self._was_pruned, first=span.first, last=span.last)
        if span.most and await self.services.storage.scan(found):
            raise _pruned_meanwhile()

    async def _was_pruned(self, reader: Reader, first: int, last: int) -> bool:
        """Tell whether any of these entries was pruned since the checkpoint: the entry that tells of it is behind."""
        after = first - 1
        while ranges := await reader.pruned_ranges(self.query.dealer, after, BLOCK):
            if any(one.prune_seq > self.checkpoint.size and one.first <= last for one in ranges):
                return True
            after = ranges[-1].last
        return False

    async def _publish(self, target: Target) -> Manifest:
        proof = target.proof.finished() if target.proof is not None else None
        manifest = self._manifest(target.output.finished(), proof)
        if target.manifest is not None:
            target.manifest.write(manifest.signed(self.key).encode())
            target.manifest.finished()
        entry = self._entry(manifest)
        await self.services.storage.write(lambda writer: writer.append([entry]))
        target.publish()
        return manifest

    def _manifest(self, file: FileStatement, proof: FileStatement | None) -> Manifest:
        return Manifest(
            export_id=self.request.export_id or new_id("exp", self.services.random),
            dealer=self.query.dealer,
            apps=list(self.query.apps),
            dealer_wide=self.query.dealer_wide,
            since=moment_text(self.query.since),
            until=moment_text(self.query.until),
            filter=canonical(self.query),
            format=self.request.form.value,
            fields=list(self.fields),
            rows=self.rows,
            first_seq=self.first,
            last_seq=self.last,
            file=file,
            proof=proof,
            log_size=self.checkpoint.size,
            checkpoint=self.checkpoint.note,
            log_key=str(self.key.verifier()),
            generator=f"chekt-mcp {__version__}",
            exported_at=moment_text(self.services.clock()),
            exported_by=self.call.grant.principal,
        )

    def _entry(self, manifest: Manifest) -> NewEntry:
        """Return the entry that says who took what out of the log."""
        return NewEntry(
            dealer=self.query.dealer,
            timestamp=self.services.clock(),
            actor=self.call.grant.principal,
            kind=Kind.OPERATOR_ACTION,
            action=ACTION,
            result=Result.OK,
            request_id=self.call.request_id,
            app=self.call.grant.app,
            source=self.call.source,
            source_ip=self.call.source_ip,
            key_id=self.call.grant.key_id,
            details={
                "export": manifest.export_id,
                "rows": manifest.rows,
                "sha256": manifest.file.sha256,
                "format": manifest.format,
                "since": manifest.since,
                "until": manifest.until,
                "apps": ",".join(manifest.apps),
                "filter": ",".join(manifest.filter),
            },
        )


def _pruned_meanwhile() -> Conflict:
    return Conflict("Old entries were pruned while they were exported.", code="pruned_meanwhile", fix="Repeat.")
