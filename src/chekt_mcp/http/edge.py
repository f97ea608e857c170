"""The edge before the MCP endpoint: who comes in, in this order, and what the others are told.

1. The head: sizes, framing, headers that stand twice, Host and Origin.
2. The client's address, behind our own proxies only where these are named.
3. The credential. Unknown, ended and foreign ones get the same answer after the same work.
4. The allow list of the credential's own app.
5. That app's rate.
6. The body, within its size and time; then the scopes of the call, for callers that can be challenged.

Nothing here opens anything: the gate inside decides again. Every refusal is in the audit log, floods as counts.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from chekt_mcp.auth.caller import nobody
from chekt_mcp.auth.credential import Problem
from chekt_mcp.auth.current_caller import CURRENT, NOT_ADMITTED
from chekt_mcp.auth.granted import GrantedToken, Refused, caller_of
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.errors import ChektError
from chekt_mcp.http.answer import retry_after, send_answer
from chekt_mcp.http.asgi import App, Receive, Scope, Send
from chekt_mcp.http.body import read_whole, replayed
from chekt_mcp.http.challenge import asked_for
from chekt_mcp.http.edge_answers import (
    FAILED,
    IP_NOT_ALLOWED,
    NO_ADDRESS,
    RATE_LIMITED,
    TOO_MANY_FAILURES,
    UNAVAILABLE,
    bad_credential,
    insufficient_scope,
    no_credential,
)
from chekt_mcp.http.edge_parts import EdgeParts, EdgeSettings
from chekt_mcp.http.limits import rate_headers
from chekt_mcp.http.request_head import read_head
from chekt_mcp.http.request_limits import ClientGone
from chekt_mcp.http.site import with_headers
from chekt_mcp.http.visit import Turned, Visit
from chekt_mcp.operations.admission import Entrance, admit
from chekt_mcp.operations.services import Services

_BEARER: Final = b"bearer "
_CHEAP: Final = b"chekt_"
"""Begins what is judged by one look-up: a good key is taken even where others behind the same address fail."""
_LOG = logging.getLogger(__name__)


class Edge:
    """The ASGI application around the endpoint."""

    def __init__(self, services: Services, parts: EdgeParts, settings: EdgeSettings, inner: App) -> None:
        self._services, self._parts, self._settings, self._inner = services, parts, settings, inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        now = self._services.clock()
        visit = Visit(new_id("req", self._services.random), now, asyncio.get_running_loop().time())
        with suppress(ClientGone):
            try:
                await self._served(visit, scope, receive, send)
            except Turned as turned:
                await self._refuse(visit, turned, receive, send)
            except ChektError as error:
                _LOG.warning("%s: %s", visit.request_id, error)
                await self._refuse(visit, Turned(UNAVAILABLE), receive, send)
            except Exception:
                if visit.status:  # the answer has begun: the connection can only be cut off
                    raise
                _LOG.exception("%s failed", visit.request_id)
                await self._refuse(visit, Turned(FAILED), receive, send)
            self._parts.observer.response(visit)

    async def _served(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        visit.source_ip = self._settings.client_of(scope)  # what is refused for its head has one in the log, too
        head = read_head(scope["headers"], self._settings.own)
        if not isinstance(head, dict):
            raise Turned(head)
        if visit.source_ip is None:
            raise Turned(NO_ADDRESS)
        granted = await self._granted(visit, head, visit.source_ip)
        await self._admitted(visit, granted, visit.source_ip)
        body = await read_whole(receive, self._settings.body_seconds)  # whatever the method: any may announce one
        self._require_scopes(granted, head, body)
        await self._pass_on(visit, granted, scope, replayed(body, receive), send)

    async def _granted(self, visit: Visit, head: dict[bytes, bytes], source_ip: str) -> GrantedToken:
        presented = head.get(b"authorization")
        if presented is None:
            raise Turned(no_credential(self._settings.metadata_url))
        token = presented[len(_BEARER) :].strip() if presented[: len(_BEARER)].lower() == _BEARER else b""
        if not token.startswith(_CHEAP) and (wait := self._parts.rates.failure_wait(source_ip, visit.now)):
            raise Turned(retry_after(TOO_MANY_FAILURES, wait), "too_many_failures")
        judged = await self._parts.verifier.judge(token.decode("latin-1"), visit.now)
        if isinstance(judged, GrantedToken):
            return judged
        visit.caller = judged.caller()
        raise self._refused_credential(judged, source_ip, visit.now)

    def _refused_credential(self, judged: Refused, source_ip: str, now: datetime) -> Turned:
        if judged.temporary:
            return Turned(UNAVAILABLE, judged.problem.code)
        if wait := self._parts.rates.count_failure(source_ip, now):
            return Turned(retry_after(TOO_MANY_FAILURES, wait), "too_many_failures")
        return Turned(bad_credential(self._settings.metadata_url), judged.problem.code)

    async def _admitted(self, visit: Visit, granted: GrantedToken, source_ip: str) -> None:
        visit.caller = replace(caller_of(granted), source_ip=source_ip, request_id=visit.request_id)
        grant, compiled = granted.grant, self._parts.compiled
        admission = await self._services.storage.read(lambda reader: admit(reader, compiled, grant, source_ip))
        if admission.entrance is Entrance.NOT_OVER_HTTP:
            raise Turned(bad_credential(self._settings.metadata_url), admission.entrance)
        if admission.entrance is Entrance.IP_NOT_ALLOWED:
            raise Turned(IP_NOT_ALLOWED)
        spent = self._parts.rates.spend(grant, admission.tier, visit.now)
        visit.headers.extend(rate_headers(admission.tier, spent))
        if spent.wait:
            raise Turned(retry_after(RATE_LIMITED, spent.wait))

    def _require_scopes(self, granted: GrantedToken, head: dict[bytes, bytes], body: bytes) -> None:
        if not self._settings.challenge or granted.grant.credential != "oauth":
            return
        if needed := self._parts.needed.missing(granted.grant, asked_for(head, body)):
            raise Turned(insufficient_scope(self._settings.metadata_url, needed))

    async def _pass_on(self, visit: Visit, granted: GrantedToken, scope: Scope, receive: Receive, send: Send) -> None:
        from mcp.server.auth.middleware.auth_context import auth_context_var  # noqa: PLC0415 -- start-up is measured
        from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser  # noqa: PLC0415 -- as above

        scope["user"] = AuthenticatedUser(granted)
        user = auth_context_var.set(scope["user"])
        caller = CURRENT.set(visit.caller or nobody(NOT_ADMITTED))
        try:
            numbered = with_headers(visit.answering(send), ((b"x-request-id", visit.request_id.encode()),))
            await self._inner(scope, receive, numbered)
        finally:
            auth_context_var.reset(user)
            CURRENT.reset(caller)

    async def _refuse(self, visit: Visit, turned: Turned, receive: Receive, send: Send) -> None:
        """Answer and log; a stranger first, so that the time of the answer does not tell whose key that was."""
        answering = send_answer(receive, visit.answering(send), turned.answer, visit.request_id)
        if visit.caller is None or isinstance(visit.caller.grant, Problem):
            await answering
            await self._log(visit, turned)
        else:
            await self._log(visit, turned)
            await answering

    async def _log(self, visit: Visit, turned: Turned) -> None:
        own_entry = await self._parts.refusals.log(visit.refused(turned.logged))
        self._parts.observer.refusal(visit, turned.answer.code, turned.logged, tell=own_entry)
