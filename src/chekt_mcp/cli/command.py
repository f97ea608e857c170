"""What a command is given, and the state it works on."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from chekt_mcp.cli.terminal import Terminal
from chekt_mcp.config import Settings, from_environment, without_bad_settings
from chekt_mcp.domain.app import check_name
from chekt_mcp.errors import InvalidInput, StateUnusable
from chekt_mcp.operations.operator import Operator, operator_of
from chekt_mcp.operations.services import Services

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its arguments, the environment, the terminal, and the program's own path."""

    args: argparse.Namespace
    environ: Mapping[str, str]
    terminal: Terminal
    program: str

    def settings(self) -> Settings:
        """Read the settings; a flag wins over its variable."""
        return from_environment(self.environ, **self._flags)

    def usable_settings(self) -> tuple[Settings, list[InvalidInput]]:
        """Read the settings as if the bad ones were not set, and return what is wrong with those."""
        return without_bad_settings(self.environ, **self._flags)

    @property
    def dealer(self) -> str | None:
        """The dealer named with `--dealer`."""
        named: str | None = getattr(self.args, "dealer", None)
        return check_name(named, field="dealer") if named is not None else None

    @property
    def _flags(self) -> dict[str, str | None]:
        return {name: getattr(self.args, name, None) for name in ("state", "secrets_dir")}


@dataclass(frozen=True, slots=True)
class Session:
    """An open state directory, and who works on it."""

    command: Command
    settings: Settings
    services: Services
    operator: Operator

    @property
    def terminal(self) -> Terminal:
        """Whom this command talks to."""
        return self.command.terminal

    async def dealers(self) -> list[str]:
        """Return the dealers a command is about: the one named, else all.

        Raises:
            StateUnusable: code `state_empty`, when there is none yet.
            InvalidInput: code `unknown_dealer`.
        """
        known = [dealer.name for dealer in await self.services.storage.read(lambda reader: reader.dealers())]
        if not known:
            raise StateUnusable("The state holds no dealer yet.", code="state_empty", fix="Run `chekt-mcp init`.")
        named = self.command.dealer
        if named is not None and named not in known:
            raise InvalidInput(
                "There is no dealer of that name.",
                field="dealer",
                code="unknown_dealer",
                fix=f"Known: {', '.join(known)}.",
            )
        return known if named is None else [named]

    async def dealer(self) -> str:
        """Return the one dealer a command is about.

        Raises:
            InvalidInput: code `dealer_required`, when there are several and none was named.
        """
        chosen = await self.dealers()
        if len(chosen) > 1:
            raise InvalidInput(
                "There are several dealers; say which one.",
                field="dealer",
                code="dealer_required",
                fix=f"Add --dealer and one of: {', '.join(chosen)}.",
            )
        return chosen[0]

    async def recover(self) -> None:
        """Take up rotations that a crash left behind, and say which could not be ended."""
        from chekt_mcp.operations.keys.recovery import recover  # noqa: PLC0415 -- few commands touch keys

        for trouble in await recover(self.services):
            self.terminal.note(f"note: {trouble}")


@asynccontextmanager
async def opened(command: Command, settings: Settings | None = None, *, make: bool = False) -> AsyncIterator[Session]:
    """Open the state directory for one command; `make` as `wiring.open_services` has it.

    Raises:
        StateUnusable: it cannot be used; it was left untouched.
    """
    from chekt_mcp.wiring import open_services  # noqa: PLC0415 -- brings the storage engine

    chosen = settings or command.settings()
    services = open_services(chosen, make=make)
    try:
        yield Session(command, chosen, services, operator_of(system_user(), services.random))
    finally:
        await services.storage.close()


def carry_out(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end; Ctrl-C stops it at once, also while it waits for somebody to type."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    # asyncio's own handler would only cancel the task, which a blocking read of the terminal never notices.
    signal.signal(signal.SIGINT, stop)
    return asyncio.run(work)


def system_user() -> str:
    """Return the operating-system user's name: of the process itself, not what a variable says."""
    import pwd  # noqa: PLC0415 -- only commands that are logged need it

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid-{os.geteuid()}"
