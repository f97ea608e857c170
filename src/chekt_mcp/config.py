"""Settings: read once from the environment and the command line, then passed in. Nothing reads them later.

| variable | meaning | default |
| --- | --- | --- |
| `CHEKT_MCP_STATE` | the state directory | the platform's state folder |
| `CHEKT_MCP_SECRETS_DIR` | where the file sink puts keys | `secrets/` in the state directory |
| `CHEKT_API_KEY_FILE` | file that holds the caller's API key; re-read when it changes | none |
| `CHEKT_API_KEY` | the caller's API key itself | none |
| `CHEKT_MCP_KEK` | key-encryption key, 32 bytes in base64 | the file `kek` in the state directory |
| `CHEKT_MCP_KEK_COMMAND` | command that prints that key | none |
| `CHEKT_MCP_SINK_COMMAND` | command that stores a new key, which it reads on standard input; see docs/sinks.md | none |
| `CHEKT_MCP_SINK_CHECK` | command that tells whether the one above would work | none |
| `CHEKT_MCP_SINK_SECONDS` | how long either command, or one request to Vault, may take | 30 |
| `CHEKT_MCP_VAULT_ADDRESS` | Vault's address: new keys go there | none |
| `CHEKT_MCP_VAULT_TOKEN_FILE` | file that holds Vault's token; read anew each time | none |
| `CHEKT_MCP_VAULT_MOUNT` | the KV version 2 engine | secret |
| `CHEKT_MCP_VAULT_PATH` | the secret's path | `chekt/{dealer}/{app}` |
| `CHEKT_MCP_VAULT_FIELD` | the secret's field | `{kind}` |
| `CHEKT_MCP_VAULT_NAMESPACE` | Vault's namespace | none |
| `CHEKT_MCP_VAULT_CA_FILE` | certificate of Vault's own authority | none |
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

VAULT = "CHEKT_MCP_VAULT_ADDRESS"
_DIGITS = 9
"""The longest number looked at."""


@dataclass(frozen=True, slots=True)
class CommandSetting:
    """A command that stores new keys; `{dealer}`, `{app}`, `{kind}` and `{KIND}` in it stand for what is stored."""

    argv: tuple[str, ...]
    check: tuple[str, ...] | None
    seconds: int


@dataclass(frozen=True, slots=True)
class VaultSetting:
    """A Vault that stores new keys; `path` and `field` hold the same places as a command."""

    address: str
    token_file: Path
    mount: str
    path: str
    field: str
    namespace: str | None
    ca_file: Path | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. See the module's table."""

    state: Path
    secrets_dir: Path
    api_key_file: Path | None = None
    api_key: str | None = field(default=None, repr=False)
    kek: str | None = field(default=None, repr=False)
    kek_command: tuple[str, ...] | None = None
    sink: CommandSetting | VaultSetting | None = None
    """Where new keys go; None: to files."""

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
    state_at = state or environ.get("CHEKT_MCP_STATE")
    directory = _path("CHEKT_MCP_STATE", state_at) if state_at else _default_state()
    secrets = secrets_dir or environ.get("CHEKT_MCP_SECRETS_DIR")
    key_file, command = environ.get("CHEKT_API_KEY_FILE"), environ.get("CHEKT_MCP_KEK_COMMAND")
    return Settings(
        state=directory,
        secrets_dir=_path("CHEKT_MCP_SECRETS_DIR", secrets) if secrets else directory / "secrets",
        api_key_file=_path("CHEKT_API_KEY_FILE", key_file) if key_file else None,
        api_key=environ.get("CHEKT_API_KEY") or None,
        kek=environ.get("CHEKT_MCP_KEK") or None,
        kek_command=_command("CHEKT_MCP_KEK_COMMAND", command) if command else None,
        sink=_sink(environ),
        approval_ttl=timedelta(minutes=_number(environ, "CHEKT_MCP_APPROVAL_MINUTES", 10, 1, 1440)),
        grace=timedelta(hours=_number(environ, "CHEKT_MCP_GRACE_HOURS", 24, 1, 720)),
        webhook_window=_number(environ, "CHEKT_MCP_WEBHOOK_WINDOW", 300, 1, 3600),
    )


def without_bad_settings(
    environ: Mapping[str, str], *, state: str | None = None, secrets_dir: str | None = None
) -> tuple[Settings, list[InvalidInput]]:
    """Build settings as if every variable that cannot be read were not set, and say which these were: for `doctor`.

    Raises:
        InvalidInput: a flag that cannot be read; code `bad_setting`.
    """
    left, bad = dict(environ), list[InvalidInput]()
    while True:
        try:
            return from_environment(left, state=state, secrets_dir=secrets_dir), bad
        except InvalidInput as error:
            to_blame = error.field if left.get(error.field) else VAULT  # which alone asks for more than is set
            if to_blame not in left:
                raise
            del left[to_blame]
            bad.append(error)


def _sink(environ: Mapping[str, str]) -> CommandSetting | VaultSetting | None:
    command, address = environ.get("CHEKT_MCP_SINK_COMMAND"), environ.get(VAULT)
    seconds = _number(environ, "CHEKT_MCP_SINK_SECONDS", 30, 1, 60)
    if command and address:
        raise _bad_setting("CHEKT_MCP_SINK_COMMAND", "and CHEKT_MCP_VAULT_ADDRESS are both set; choose one")
    if address:
        return _vault(environ, address, seconds)
    check = environ.get("CHEKT_MCP_SINK_CHECK")
    if command:
        argv = _command("CHEKT_MCP_SINK_COMMAND", command)
        _require_places("CHEKT_MCP_SINK_COMMAND", command)
        return CommandSetting(argv, _command("CHEKT_MCP_SINK_CHECK", check) if check else None, seconds)
    return None


def _vault(environ: Mapping[str, str], address: str, seconds: int) -> VaultSetting:
    token_file, ca_file = environ.get("CHEKT_MCP_VAULT_TOKEN_FILE"), environ.get("CHEKT_MCP_VAULT_CA_FILE")
    if not token_file:
        raise _bad_setting("CHEKT_MCP_VAULT_TOKEN_FILE", "is needed beside CHEKT_MCP_VAULT_ADDRESS")
    path = environ.get("CHEKT_MCP_VAULT_PATH") or "chekt/{dealer}/{app}"
    field_name = environ.get("CHEKT_MCP_VAULT_FIELD") or "{kind}"
    _require_places("CHEKT_MCP_VAULT_PATH", f"{path} {field_name}")
    return VaultSetting(
        address=address,
        token_file=_path("CHEKT_MCP_VAULT_TOKEN_FILE", token_file),
        mount=environ.get("CHEKT_MCP_VAULT_MOUNT") or "secret",
        path=path,
        field=field_name,
        namespace=environ.get("CHEKT_MCP_VAULT_NAMESPACE") or None,
        ca_file=_path("CHEKT_MCP_VAULT_CA_FILE", ca_file) if ca_file else None,
        seconds=seconds,
    )


def _require_places(name: str, text: str) -> None:
    """Refuse a place that is the same for every key: each would overwrite the one before."""
    if "{app}" not in text or "{kind}" not in text.lower():
        raise _bad_setting(name, "must name {app} and {kind}, or one key would overwrite another")


def _default_state() -> Path:
    import platformdirs  # noqa: PLC0415 -- start-up is measured, and most configurations name the directory

    return Path(platformdirs.user_state_dir("chekt-mcp", appauthor=False))


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and low <= int(text) <= high):
        raise _bad_setting(name, f"must be a whole number from {low} to {high}")
    return int(text)


def _path(name: str, given: str) -> Path:
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError:  # what pathlib raises for a home directory that cannot be told
        raise _bad_setting(name, "begins with the home directory of an unknown user") from None


def _command(name: str, given: str) -> tuple[str, ...]:
    try:
        parts = tuple(shlex.split(given))
    except ValueError:
        raise _bad_setting(name, "is not a command line: a quotation mark or backslash has no end") from None
    if not parts:
        raise _bad_setting(name, "is blank")
    return parts


def _bad_setting(name: str, why: str) -> InvalidInput:
    fix = "Correct it, in the client's configuration where the client sets it, and start anew."
    return InvalidInput(f"{name} {why}.", field=name, code="bad_setting", fix=fix)
