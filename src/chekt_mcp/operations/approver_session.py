"""Signing in to the approval pages: a session in the store, so that every worker knows it and ending it ends it.

The browser holds a random token; the store holds its SHA-256. A session ends after half an hour, whatever happens.
It gives no scope and answers no tool: it only lets a person decide.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from chekt_mcp.domain.approver_session import ApproverSession
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer

LASTS = timedelta(minutes=30)
TOKEN_BYTES = 32


async def open_session(services: Services, operator: Operator, dealer: str, *, until: datetime | None = None) -> str:
    """Sign a person in, `until` at the latest, and return the token for their browser. Logged as `approver.sign_in`."""
    token, now = services.random(TOKEN_BYTES).hex(), services.clock()
    ends_at = now + LASTS if until is None else min(until, now + LASTS)
    session = ApproverSession(digest_of(token), dealer, operator.principal, now, ends_at)

    async def work(writer: Writer) -> None:
        await writer.add_approver_session(session)
        await writer.append([operator.entry(dealer, "approver.sign_in", now)])

    await services.storage.write(work)
    return token


async def find_session(services: Services, token: str) -> ApproverSession | None:
    """Return the session of a token, unless it has ended."""
    now = services.clock()
    return await services.storage.read(lambda reader: reader.approver_session(digest_of(token), now))


async def close_session(services: Services, operator: Operator, session: ApproverSession) -> None:
    """Sign a person out. Logged as `approver.sign_out`."""
    now = services.clock()

    async def work(writer: Writer) -> None:
        if await writer.end_approver_session(session.digest):
            await writer.append([operator.entry(session.dealer, "approver.sign_out", now)])

    await services.storage.write(work)


def digest_of(token: str) -> bytes:
    """Return what is kept of a token: it is random, so a fast hash is right."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
