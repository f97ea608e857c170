"""The approver passphrase: set once per dealer, asked before what changes state or shows a secret.

An attempt is counted before it is judged, so that guessing from several processes at once gains nothing.
Five wrong ones lock the dealer's passphrase for a quarter of an hour; a right one clears the count.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from chekt_mcp.domain.app import App
from chekt_mcp.domain.audit import NewEntry, Result
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import Approver

MAX_WRONG = 5
LOCKED_FOR = timedelta(minutes=15)
SALT_LENGTH = 16


class Passphrases(Protocol):
    """How a passphrase is judged and kept; slow on purpose. `secrets.passphrase` is one."""

    def check_new_passphrase(self, text: str) -> None:
        """Raise `InvalidInput`, code `weak_passphrase`, for one that is too easy to guess."""
        ...

    def hash_passphrase(self, text: str, salt: bytes) -> bytes:
        """Return what is kept of it."""
        ...

    def passphrase_matches(self, text: str, salt: bytes, digest: bytes) -> bool:
        """Tell whether `digest` was made from this text and salt, in constant time."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended; `locked_until` is set when no further one counts before then."""

    right: bool
    left: int = 0
    locked_until: datetime | None = None


def new_approver(services: Services, passphrases: Passphrases, dealer: str, text: str) -> Approver:
    """Hash a new passphrase; store it with `set_passphrase` in the transaction it belongs to.

    Raises:
        InvalidInput: code `weak_passphrase`.
    """
    passphrases.check_new_passphrase(text)
    salt = services.random(SALT_LENGTH)
    return Approver(dealer, salt, passphrases.hash_passphrase(text, salt))


async def set_passphrase(writer: Writer, operator: Operator, approver: Approver, app: App) -> None:
    """Store the first passphrase of a dealer, which comes with `app`, and log that it was set.

    Raises:
        Conflict: code `passphrase_exists`: somebody else set one meanwhile, and it is not replaced unasked.
    """
    if await writer.approver(approver.dealer) is not None:
        raise Conflict(
            "Somebody has set the approver passphrase meanwhile.", code="passphrase_exists", fix="Try again with it."
        )
    await writer.set_approver(approver)
    await writer.append([operator.entry(approver.dealer, "approver.passphrase.set", app.created_at, app=app.name)])


@dataclass(frozen=True, slots=True)
class PassphraseCheck:
    """The question for a dealer's passphrase, before a command that is about `app` (None: about no single one)."""

    services: Services = field(repr=False)
    passphrases: Passphrases
    operator: Operator
    dealer: str
    app: str | None

    async def attempt(self, text: str) -> Attempt:
        """Judge one attempt.

        Raises:
            NotFound: code `no_passphrase`, when the dealer has none.
        """
        charged = await self._charge()
        if isinstance(charged, Attempt):
            await self.in_vain(text)
            return charged
        # In a thread: it takes a tenth of a second, and a server has other callers meanwhile.
        right = await asyncio.to_thread(self.passphrases.passphrase_matches, text, charged.salt, charged.scrypt)
        return await self._settle(charged, right=right)

    async def in_vain(self, text: str) -> None:
        """Do the work of an attempt where there is nothing to attempt, so that the time does not tell."""
        await asyncio.to_thread(self.passphrases.hash_passphrase, text, bytes(SALT_LENGTH))

    async def _charge(self) -> Approver | Attempt:
        """Count an attempt as wrong until it proves right; refuse it unjudged while the passphrase is locked."""
        now = self.services.clock()

        async def work(writer: Writer) -> Approver | Attempt:
            known = await writer.approver(self.dealer)
            if known is None:
                raise NotFound("This dealer has no approver passphrase.", code="no_passphrase")
            if known.locked_until is not None and now < known.locked_until:
                await writer.append([self._refusal(known, now)])
                return Attempt(right=False, locked_until=known.locked_until)
            charged = _charged(known, now)
            await writer.set_approver(charged)
            return charged

        return await self.services.storage.write(work)

    async def _settle(self, charged: Approver, *, right: bool) -> Attempt:
        now = self.services.clock()

        async def work(writer: Writer) -> Attempt:
            if right:
                await writer.set_approver(replace(charged, wrong_attempts=0, locked_until=None))
                return Attempt(right=True, left=MAX_WRONG)
            await writer.append([self._refusal(charged, now)])
            return Attempt(right=False, left=MAX_WRONG - charged.wrong_attempts, locked_until=charged.locked_until)

        return await self.services.storage.write(work)

    def _refusal(self, approver: Approver, at: datetime) -> NewEntry:
        details = {"wrong_attempts": approver.wrong_attempts, "locked": approver.locked_until is not None}
        entry = self.operator.entry(self.dealer, "approver.passphrase.refuse", at, app=self.app, details=details)
        return replace(entry, result=Result.DENIED)


def _charged(known: Approver, now: datetime) -> Approver:
    """Count one more wrong attempt; a lock that is over starts the count anew."""
    wrong = 1 if known.locked_until is not None else known.wrong_attempts + 1
    return replace(known, wrong_attempts=wrong, locked_until=now + LOCKED_FOR if wrong >= MAX_WRONG else None)
