"""The approver passphrase: set once per dealer, asked before what changes state or shows a secret.

An attempt is counted before it is judged, so that guessing from several processes at once gains nothing.
Five wrong ones lock the dealer's passphrase for a quarter of an hour; a right one clears the count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

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


async def set_passphrase(writer: Writer, operator: Operator, approver: Approver, at: datetime) -> None:
    """Store the first passphrase of a dealer and log that it was set.

    Raises:
        Conflict: code `passphrase_exists`: somebody else set one meanwhile, and it is not replaced unasked.
    """
    if await writer.approver(approver.dealer) is not None:
        raise Conflict(
            "Somebody has set the approver passphrase meanwhile.", code="passphrase_exists", fix="Try again with it."
        )
    await writer.set_approver(approver)
    await writer.append([operator.entry(approver.dealer, "approver.passphrase.set", at)])


async def attempt(services: Services, passphrases: Passphrases, operator: Operator, dealer: str, text: str) -> Attempt:
    """Judge one attempt.

    Raises:
        NotFound: code `no_passphrase`, when the dealer has none.
    """
    charged = await _charge(services, operator, dealer)
    if isinstance(charged, Attempt):
        return charged
    right = passphrases.passphrase_matches(text, charged.salt, charged.scrypt)
    return await _settle(services, operator, charged, right=right)


async def _charge(services: Services, operator: Operator, dealer: str) -> Approver | Attempt:
    """Count an attempt as wrong until it proves right; refuse it unjudged while the passphrase is locked."""
    now = services.clock()

    async def work(writer: Writer) -> Approver | Attempt:
        known = await writer.approver(dealer)
        if known is None:
            raise NotFound("This dealer has no approver passphrase.", code="no_passphrase")
        if known.locked_until is not None and now < known.locked_until:
            await writer.append([_refusal(operator, known, now)])
            return Attempt(right=False, locked_until=known.locked_until)
        wrong = 1 if known.locked_until is not None else known.wrong_attempts + 1
        locked = now + LOCKED_FOR if wrong >= MAX_WRONG else None
        charged = replace(known, wrong_attempts=wrong, locked_until=locked)
        await writer.set_approver(charged)
        return charged

    return await services.storage.write(work)


async def _settle(services: Services, operator: Operator, charged: Approver, *, right: bool) -> Attempt:
    now = services.clock()

    async def work(writer: Writer) -> Attempt:
        if right:
            await writer.set_approver(replace(charged, wrong_attempts=0, locked_until=None))
            return Attempt(right=True, left=MAX_WRONG)
        await writer.append([_refusal(operator, charged, now)])
        return Attempt(right=False, left=MAX_WRONG - charged.wrong_attempts, locked_until=charged.locked_until)

    return await services.storage.write(work)


def _refusal(operator: Operator, approver: Approver, at: datetime) -> NewEntry:
    details = {"wrong_attempts": approver.wrong_attempts, "locked": approver.locked_until is not None}
    entry = operator.entry(approver.dealer, "approver.passphrase.refuse", at, details=details)
    return replace(entry, result=Result.DENIED)
