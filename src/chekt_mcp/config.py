"""Settings: read once from the environment and the command line, then passed in. Nothing reads them later.

| variable | meaning | default |
| --- | --- | --- |
| `CHEKT_MCP_STATE` | the state directory | the platform's state folder |
| `CHEKT_MCP_SECRETS_DIR` | where the file sink puts keys | `secrets/` in the state directory |
| `CHEKT_API_KEY_FILE` | file that holds the caller's API key; re-read when it changes | none |
| `CHEKT_API_KEY` | the caller's API key itself | none |
| `CHEKT_MCP_KEK` | key-encryption key, 32 bytes in base64 | the file `kek` in the state directory |
| `CHEKT_MCP_KEK_COMMAND` | command that prints that key | none |
| `CHEKT_MCP_APPROVAL_MINUTES` | how long an approval may be decided and used | 10 |
| `CHEKT_MCP_GRACE_HOURS` | how long a previous key lives on | 24 |
| `CHEKT_MCP_WEBHOOK_WINDOW` | seconds a webhook timestamp may be off, either way | 300 |
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from chekt_mcp.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. See the module's table."""

    state: Path
    secrets_dir: Path
    api_key_file: Path | None = None
    api_key: str | None = field(default=None, repr=False)
    kek: str | None = field(default=None, repr=False)
    kek_command: tuple[str, ...] | None = None
    approval_ttl: timedelta = timedelta(minutes=10)
    grace: timedelta = timedelta(hours=24)
    webhook_window: int = 300
    ask_timeout: float = 50.0
    """Seconds to wait for a form on a legacy connection: clients give a call up at 60."""

    @property
    def kek_file(self) -> Path:
        """The default home of the key-encryption key."""
        return self.state / "kek"


def from_environment(
    environ: Mapping[str, str], *, state: str | None = None, secrets_dir: str | None = None
) -> Settings:
    """Build settings; a flag wins over its variable.

    Raises:
        InvalidInput: a variable that cannot be read as what it should be; code `bad_setting`.
    """
    directory = _directory(state or environ.get("CHEKT_MCP_STATE"))
    secrets = secrets_dir or environ.get("CHEKT_MCP_SECRETS_DIR")
    key_file, command = environ.get("CHEKT_API_KEY_FILE"), environ.get("CHEKT_MCP_KEK_COMMAND")
    return Settings(
        state=directory,
        secrets_dir=Path(secrets).expanduser().absolute() if secrets else directory / "secrets",
        api_key_file=Path(key_file).expanduser().absolute() if key_file else None,
        api_key=environ.get("CHEKT_API_KEY") or None,
        kek=environ.get("CHEKT_MCP_KEK") or None,
        kek_command=tuple(shlex.split(command)) if command else None,
        approval_ttl=timedelta(minutes=_number(environ, "CHEKT_MCP_APPROVAL_MINUTES", 10, 1, 1440)),
        grace=timedelta(hours=_number(environ, "CHEKT_MCP_GRACE_HOURS", 24, 1, 720)),
        webhook_window=_number(environ, "CHEKT_MCP_WEBHOOK_WINDOW", 300, 1, 3600),
    )


def _directory(given: str | None) -> Path:
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 -- start-up is measured, and most configurations name the directory

    return Path(platformdirs.user_state_dir("chekt-mcp", appauthor=False))


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text[:9]) <= high):
        raise InvalidInput(f"{name} must be a whole number from {low} to {high}.", field=name, code="bad_setting")
    return int(text)
