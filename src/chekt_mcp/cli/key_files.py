"""Handing a new app's values to the person who asked: to 0600 files, and at a terminal to their eyes, once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from chekt_mcp.cli.terminal import Terminal
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import ChektError, Conflict
from chekt_mcp.operations.apps.setup import Minted
from chekt_mcp.secrets.file import FileSink, key_path


class KeyFiles:
    """A `Handover`. The API key always goes to its file, because the client configuration points there.

    The signing secret goes to a file only where nobody is there to read it off the screen.
    """

    def __init__(self, terminal: Terminal, secrets_dir: Path) -> None:
        self._terminal = terminal
        self._secrets_dir = secrets_dir
        self._shown = False
        self.delivered: dict[KeyKind, Path] = {}

    async def deliver(self, minted: Minted) -> None:
        """Write the files, then show the values at a terminal.

        Raises:
            Conflict: code `key_file_exists`: what stands there may be the only copy of something.
            DeliveryFailed: a file cannot be written; nothing is left behind.
        """
        values = {KeyKind.API_KEY: minted.api_key}
        if not self._terminal.interactive:
            values[KeyKind.SIGNING_SECRET] = minted.signing_secret
        try:
            for kind, value in values.items():
                await self._write(key_path(self._secrets_dir, minted.dealer, minted.app, kind), kind, value)
        except ChektError:
            await self.withdraw()
            raise
        if self._terminal.interactive:
            self._show(minted)

    async def withdraw(self) -> None:
        """Remove what was written: it never came into force."""
        for path in self.delivered.values():
            with suppress(OSError):
                path.unlink()
        self.delivered.clear()
        if self._shown:
            self._terminal.note("What was shown above never came into force: throw it away.")

    def report(self) -> None:
        """Say where the values are, without a terminal the only thing said of them."""
        for kind, path in self.delivered.items():
            self._terminal.say(f"{kind.value} file: {path} (mode 0600)")

    async def _write(self, path: Path, kind: KeyKind, value: str) -> None:
        _refuse_existing(path)
        sink = FileSink(path, escaped(str(path)))
        await sink.prove()
        await sink.deliver(value)
        self.delivered[kind] = path

    def _show(self, minted: Minted) -> None:
        self._shown, say = True, self._terminal.say
        say(f"API key of {minted.app}, shown this once:")
        say(f"  {minted.api_key}")
        say(f"It is also in {self.delivered[KeyKind.API_KEY]} (mode 0600), where the client configuration points.")
        say(f"Webhook signing secret of {minted.app}, shown this once and written to no file:")
        say(f"  {minted.signing_secret}")
        say("Copy both into your secret manager now.")
        say()


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise Conflict(
            f"{escaped(str(path))} exists already, and it may be the only copy of a key.",
            code="key_file_exists",
            fix="Move it away if it is of no use any more, then try again. Nothing was created.",
        )
