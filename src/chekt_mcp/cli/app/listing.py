"""`chekt-mcp app list`."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.table import table
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import App
from chekt_mcp.operations.keys.key_material import key_pair
from chekt_mcp.storage.interface import Reader

HEADINGS = ("DEALER", "APP", "ENV", "AUTHORITY", "CONFIRM", "API KEY", "SCOPES")


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Print one line for each app."""
    carry_out(_list(command))
    return 0


async def _list(command: Command) -> None:
    async with opened(command) as session:
        await session.recover()
        dealers = await session.dealers()

        async def work(reader: Reader) -> list[tuple[str, ...]]:
            return [await _row(reader, app) for dealer in dealers for app in await reader.apps(dealer)]

        session.terminal.say(table(HEADINGS, await session.services.storage.read(work)))


async def _row(reader: Reader, app: App) -> tuple[str, ...]:
    current = (await key_pair(reader, app.dealer, app.name, KeyKind.API_KEY)).current
    key, scopes = current.key.fingerprint if current else "none", " ".join(sorted(app.scopes)) or "none"
    return app.dealer, app.name, app.environment.value, app.authority.value, app.confirm.value, key, scopes
