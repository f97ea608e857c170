"""The API keys that clients are configured with: there, private, well-formed, known, and still good."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from chekt_mcp.auth.authenticate import authenticate
from chekt_mcp.auth.credential import Problem
from chekt_mcp.cli.doctor.finding import Finding, Level, failed, failure, fine, warning
from chekt_mcp.config import Settings
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.scope import Grant
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import ChektError
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.file import key_path, read_key_file
from chekt_mcp.storage.interface import Reader


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key is said to be: a file, or the value itself; `named_by` is what says so."""

    named_by: str
    file: Path | None = None
    value: str | None = field(default=None, repr=False)


def configured_here(settings: Settings) -> list[KeyPlace]:
    """Return the key that this very environment names."""
    if settings.api_key_file is not None:
        return [KeyPlace("CHEKT_API_KEY_FILE", file=settings.api_key_file)]
    return [KeyPlace("CHEKT_API_KEY", value=settings.api_key)] if settings.api_key else []


async def check_keys(services: Services, settings: Settings, places: list[KeyPlace]) -> list[Finding]:
    """Judge every key that something names, and the key files of our apps that nothing names."""
    named = {place.file for place in places}
    found = [finding for place in places for finding in await _judged(services, place)]
    for file in await services.storage.read(lambda reader: _issued_files(reader, settings)):
        if file not in named:
            found += [_unused(one) for one in await _judged(services, KeyPlace("secrets directory", file=file))]
    return found or [
        warning("key", "No client configuration and no variable names a key.", "See `chekt-mcp init --help`.")
    ]


async def _issued_files(reader: Reader, settings: Settings) -> list[Path]:
    apps = [app for dealer in await reader.dealers() for app in await reader.apps(dealer.name)]
    files = [key_path(settings.secrets_dir, app.dealer, app.name, KeyKind.API_KEY) for app in apps]
    return [file for file in files if file.exists()]


async def _judged(services: Services, place: KeyPlace) -> list[Finding]:
    subject = f"key ({place.named_by}{f' {escaped(str(place.file))}' if place.file else ''})"
    try:
        value = read_key_file(place.file) if place.file is not None else place.value or ""
    except ChektError as error:
        return [failed(subject, error)]
    now = services.clock()
    grant, key = await services.storage.read(lambda reader: authenticate(reader, value, now))
    private = [] if place.file is None or _private(place.file) else [_too_open(subject, place.file)]
    return [*private, _good(subject, grant, key)]


def _good(subject: str, grant: Grant | Problem, key: Key | None) -> Finding:
    if isinstance(grant, Problem):
        return failure(subject, f"{grant.code}: {grant.message}", grant.fix)
    text = f"{key.fingerprint} of app {key.app}, dealer {key.dealer}" if key else grant.principal
    if key is not None and key.state is KeyState.PREVIOUS and key.valid_until is not None:
        until = rfc3339(key.valid_until)
        return warning(subject, f"{text} was replaced and works until {until}.", "Put the new key there.")
    return fine(subject, text)


def _private(file: Path) -> bool:
    return not file.stat().st_mode & 0o077


def _too_open(subject: str, file: Path) -> Finding:
    return failure(subject, "Other users have access to it.", f"Run chmod 600 {escaped(str(file))}.")


def _unused(finding: Finding) -> Finding:
    """Soften what is wrong with a file that no client is known to use."""
    return finding if finding.level is Level.OK else warning(finding.subject, finding.text, finding.fix)
