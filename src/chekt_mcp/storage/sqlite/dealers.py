"""Dealers, their approver passphrase, and the secrets of this installation."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.retention import Plan
from chekt_mcp.storage.records import Approver, Dealer
from chekt_mcp.storage.sqlite.failure import unique
from chekt_mcp.storage.sqlite.session import Session
from chekt_mcp.storage.sqlite.values import microseconds, moment, optional_microseconds, optional_moment


class DealerReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def dealers(self) -> Sequence[Dealer]:
        """Return every dealer, by name."""
        rows = self._rows("SELECT name, created_at, wrapped_key, plan FROM dealers ORDER BY name")
        return [
            Dealer(name, moment(created_at), wrapped_key, Plan(plan)) for name, created_at, wrapped_key, plan in rows
        ]

    async def approver(self, dealer: str) -> Approver | None:
        """Return the dealer's approver passphrase, hashed."""
        row = self._row(
            "SELECT salt, scrypt, wrong_attempts, locked_until FROM approvers WHERE dealer = ?",
            dealer,
        )
        if row is None:
            return None
        salt, scrypt, wrong_attempts, locked_until = row
        return Approver(dealer, salt, scrypt, wrong_attempts, optional_moment(locked_until))

    async def server_secret(self, name: str) -> bytes | None:
        """Return a secret of this installation."""
        row = self._row("SELECT value FROM server_secrets WHERE name = ?", name)
        return None if row is None else row[0]


class DealerWriter(DealerReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_dealer(self, dealer: Dealer) -> None:
        """Add a dealer; `Conflict` when there is one of that name."""
        with unique("dealer_exists", "There is a dealer of that name already."):
            self._change(
                "INSERT INTO dealers (name, created_at, wrapped_key, plan) VALUES (?, ?, ?, ?)",
                dealer.name,
                microseconds(dealer.created_at),
                dealer.wrapped_key,
                dealer.plan.value,
            )

    async def set_plan(self, dealer: str, plan: Plan) -> None:
        """Store the dealer's plan."""
        self._change("UPDATE dealers SET plan = ? WHERE name = ?", plan.value, dealer)

    async def set_approver(self, approver: Approver) -> None:
        """Store the passphrase hash and its wrong attempts, in place of what was there."""
        self._change(
            "INSERT INTO approvers (dealer, salt, scrypt, wrong_attempts, locked_until) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (dealer) DO UPDATE SET salt = excluded.salt, scrypt = excluded.scrypt,"
            " wrong_attempts = excluded.wrong_attempts, locked_until = excluded.locked_until",
            approver.dealer,
            approver.salt,
            approver.scrypt,
            approver.wrong_attempts,
            optional_microseconds(approver.locked_until),
        )

    async def make_server_secret(self, name: str, value: bytes) -> bytes:
        """Store `value` unless there is one of that name; return what is stored."""
        self._change("INSERT INTO server_secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", name, value)
        return await self.server_secret(name) or value
