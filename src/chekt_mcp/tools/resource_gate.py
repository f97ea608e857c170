"""The one way to a resource: exports of the audit log, each to the caller who made it, and nothing else.

1. Exposure: a URI shaped like a credential is refused, and never echoed.
2. Gate: the caller's grant as it is now, and the scope that the export took.
3. The export: of this dealer, made by this very caller, of apps that the caller still covers, not expired; the log's
   key signed its manifest.
4. Size, SHA-256, and a last look for anything shaped like a credential.
5. The audit entry, durable before the content is sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, Resource

from chekt_mcp.auth.caller import Caller
from chekt_mcp.auth.credential import Problem
from chekt_mcp.auth.gate import require_scope
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.exposure import contains_credential, redacted
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.errors import ChektError, InvalidInput, NotFound, NotPermitted, Unavailable
from chekt_mcp.operations.audit.checkpoint_key import verifier_key
from chekt_mcp.operations.audit.export_for_tool import LOCAL, READ_LIMIT, how
from chekt_mcp.operations.audit.export_format import ExportFormat
from chekt_mcp.operations.audit.export_store import ExportStore, StoredExport
from chekt_mcp.operations.services import Services
from chekt_mcp.tools.gateway import Gateway, write_entry
from chekt_mcp.tools.rejection import sentence

logger = logging.getLogger(__name__)
SCOPE = Scope.OPERATORS_READ
ACTION = "resources/read"
MANIFEST_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class _Found:
    """A resource past the gate."""

    export_id: str
    content: str
    media_type: str


@dataclass(frozen=True, slots=True)
class ResourceGate:
    """Gate, read and record; over the gateway's services and callers."""

    gateway: Gateway

    async def visible(self) -> list[Resource]:
        """Return the exports that the caller may read, newest first; none for whoever may read none."""
        try:
            services, caller = await self._caller()
            if isinstance(caller.grant, Problem) or not caller.grant.allows(SCOPE):
                return []
            exports = await _exports(services, caller.grant)
        except ChektError:
            return []
        return [_listed(export) for export in exports]

    async def read(self, uri: str) -> Iterable[ReadResourceContents]:
        """Return the content of one resource.

        Raises:
            MCPError: every refusal, in our words: a protocol error is all that a read can be refused with. (The SDK's
                own errors would repeat the URI.)
        """
        try:
            services, caller = await self._caller()
        except Unavailable as error:
            raise _refused(error) from None
        found, why = await self._outcome(services, caller, uri)
        try:
            await write_entry(services, self._entry(services, caller, found, why))
        except Unavailable as unrecorded:
            raise _refused(unrecorded) from None
        if found is None:
            raise _refused(why or Unavailable("Something went wrong here.", code="internal_error"))
        return [ReadResourceContents(content=found.content, mime_type=found.media_type)]

    async def _caller(self) -> tuple[Services, Caller]:
        services = self.gateway.open_services()
        return services, await self.gateway.identify(services.storage, services.clock())

    async def _outcome(self, services: Services, caller: Caller, uri: str) -> tuple[_Found | None, ChektError | None]:
        try:
            return await self._run(services, caller, uri), None
        except ChektError as error:
            return None, error
        except Exception:
            logger.exception("Reading a resource failed")
            return None, None

    async def _run(self, services: Services, caller: Caller, uri: str) -> _Found:
        """Take the numbered steps 1 to 4 of the module's docstring."""
        if contains_credential(uri):
            raise InvalidInput("Something shaped like a key was sent; it was not used.", code="credential_exposed")
        if isinstance(caller.grant, Problem):
            problem = caller.grant
            raise NotPermitted(problem.message, code=problem.code, fix=problem.fix)
        require_scope(caller.grant, ACTION, SCOPE)
        export, path = await _found(services, caller.grant, uri)
        if path != export.path:
            return _Found(export.manifest.export_id, _text(path), MANIFEST_TYPE)
        return _Found(export.manifest.export_id, self._content(export), ExportFormat(export.manifest.format).media_type)

    def _content(self, export: StoredExport) -> str:
        if export.manifest.file.bytes > READ_LIMIT:
            path = str(export.path) if self.gateway.source == LOCAL else None
            raise InvalidInput(
                "The export is larger than a client may read.", code="too_large", fix=how(path, readable=False)
            )
        content = _text(export.path)
        if sha256(content.encode()).hexdigest() != export.manifest.file.sha256:
            raise Unavailable("The export is not what was exported.", code="export_altered", fix="Export it again.")
        if contains_credential(content):
            raise NotPermitted(
                "The export holds something shaped like a key, which is not shown here.",
                code="credential_in_export",
                fix="A person can read the file; the key in it is to be rotated.",
            )
        return content

    def _entry(self, services: Services, caller: Caller, found: _Found | None, error: ChektError | None) -> NewEntry:
        outcome = "read" if found else error.code if error else "internal_error"
        denied = isinstance(error, NotPermitted | NotFound)
        return NewEntry(
            dealer=caller.dealer,
            timestamp=services.clock(),
            actor=caller.actor,
            kind=Kind.TOOL_CALL,
            action=ACTION,
            result=Result.OK if found else Result.DENIED if denied else Result.ERROR,
            request_id=caller.request_id or new_id("req", services.random),
            app=caller.app,
            scope=SCOPE.value,
            source=self.gateway.source,
            source_ip=caller.source_ip,
            key_id=caller.key_id,
            details={"outcome": outcome, **({"export": found.export_id} if found else {})},
        )


async def _exports(services: Services, grant: Grant) -> list[StoredExport]:
    key = await services.storage.read(lambda reader: verifier_key(reader, grant.dealer))
    return _store(services, grant).of(grant, key, services.clock()) if key else []


async def _found(services: Services, grant: Grant, uri: str) -> tuple[StoredExport, Path]:
    key = await services.storage.read(lambda reader: verifier_key(reader, grant.dealer))
    if key is None:  # nothing was ever signed: there is no export
        raise NotFound("There is no export of yours by that name.", field="uri", code="unknown_export")
    return _store(services, grant).find(uri, grant, key, services.clock())


def _refused(error: ChektError) -> MCPError:
    mistake = isinstance(error, NotFound | InvalidInput)
    return MCPError(code=INVALID_PARAMS if mistake else INTERNAL_ERROR, message=redacted(sentence(error)))


def _store(services: Services, grant: Grant) -> ExportStore:
    return ExportStore(services.exports_directory() / grant.dealer)


def _listed(export: StoredExport) -> Resource:
    manifest = export.manifest
    form = ExportFormat(manifest.format)
    return Resource(
        uri=export.uri,
        name=f"audit-log.{form.value}",
        title=f"Audit log, {manifest.rows:,} entries, exported {manifest.exported_at}",
        mime_type=form.media_type,
        size=manifest.file.bytes,
    )


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        raise Unavailable("The export cannot be read.", code="export_unreadable", fix="Export it again.") from None
