"""`chekt-mcp app show`: everything about one app but its secrets."""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.cli.app.over_http import over_http
from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.client_configuration import client_configuration
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.app import App, check_name
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.allow_list.stored_list import stored_entries
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.secrets.file import key_path
from chekt_mcp.storage.interface import Reader


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("app", metavar="NAME", help="name of the app")


def run(command: Command) -> int:
    """Print what is known of the app."""
    carry_out(_show(command))
    return 0


async def _show(command: Command) -> None:
    name = check_name(command.args.app)
    async with opened(command) as session:
        await session.recover()
        dealer, now = await session.dealer(), session.services.clock()
        lines = await session.services.storage.read(lambda reader: _lines(reader, dealer, name, now))
        session.terminal.say("\n".join([*lines, *_files(session, dealer, name)]))


async def _lines(reader: Reader, dealer: str, name: str, now: datetime) -> list[str]:
    app = await known_app(reader, dealer, name)
    keys = [one.key for kind in KeyKind for one in await reader.keys(dealer, name, kind)]
    return [*_settings(app), *(_key(key, now) for key in keys), await _allow_list(reader, app)]


def _settings(app: App) -> list[str]:
    return [
        f"{app.name} ({app.environment}, {app.authority}) of dealer {app.dealer}, since {rfc3339(app.created_at)}",
        f"scopes: {' '.join(sorted(app.scopes)) or 'none'}",
        f"covers: {' '.join(app.covers) or 'no further app'}",
        f"confirm: {app.confirm}" + (f"; unattended: {' '.join(app.unattended)}" if app.unattended else ""),
        f"over HTTP: {over_http(app)}",
    ]


def _key(key: Key, now: datetime) -> str:
    line = f"{key.kind}: {key.fingerprint} {key.key_id}, {key.state}, since {rfc3339(key.created_at)}"
    if key.state is KeyState.PREVIOUS and key.valid_until is not None:
        line += f", {'works' if key.live_at(now) else 'worked'} until {rfc3339(key.valid_until)}"
    return line + (f", revoked {rfc3339(key.revoked_at)}" if key.revoked_at else "")


async def _allow_list(reader: Reader, app: App) -> str:
    version = await reader.allow_list(app.dealer, app.name)
    if version is None or not version.enabled:
        return "allow list: off, requests from any address are accepted by this layer"
    entries = counted(len(stored_entries(version)), "entry", "entries")
    return f"allow list: version {version.version}, {entries}, since {rfc3339(version.effective_at)}"


def _files(session: Session, dealer: str, name: str) -> list[str]:
    settings, command = session.settings, session.command
    paths = {kind: key_path(settings.secrets_dir, dealer, name, kind) for kind in KeyKind}
    lines = [f"{kind} file: {path}" for kind, path in paths.items() if path.exists()]
    key_file = paths[KeyKind.API_KEY]
    if key_file.exists():
        lines += ["client configuration:", client_configuration(settings, key_file, command.program, command.environ)]
    return lines
