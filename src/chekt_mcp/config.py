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
| `CHEKT_MCP_OAUTH_ISSUER` | whose access tokens are taken over HTTP, as `iss` has it; see docs/credentials.md | none |
| `CHEKT_MCP_OAUTH_JWKS_URL` | where it publishes the keys that sign them | none |
| `CHEKT_MCP_OAUTH_ALGORITHMS` | algorithms of its signatures: RS256, ES256, EdDSA | RS256 |
| `CHEKT_MCP_OAUTH_TYPES` | types (`typ`) its access tokens may have; `JWT` also stands for none | at+jwt |
| `CHEKT_MCP_OAUTH_DEALER_CLAIM` | claim that names the dealer | chekt_dealer |
| `CHEKT_MCP_OAUTH_APPS_CLAIM` | claim that names the apps | chekt_apps |
| `CHEKT_MCP_OAUTH_APPROVER_CLAIM` | claim that is true for those who may approve | chekt_approver |
| `CHEKT_MCP_OAUTH_DEALER` | dealer of tokens that name none | none |
| `CHEKT_MCP_OAUTH_APPS` | apps of tokens that name none | none |
| `CHEKT_MCP_OAUTH_INTROSPECTION_URL` | where it is asked about tokens that it alone can read | none |
| `CHEKT_MCP_OAUTH_CLIENT_ID` | this server's name there | none |
| `CHEKT_MCP_OAUTH_CLIENT_SECRET_FILE` | file that holds this server's secret there | none |
| `CHEKT_MCP_OAUTH_CLIENT_SECRET` | the secret itself, where no file can be used | none |
| `CHEKT_MCP_OAUTH_AUTHORIZE_URL` | where approvers sign in with a browser; see docs/credentials.md | none |
| `CHEKT_MCP_OAUTH_TOKEN_URL` | where the code they come back with is redeemed | none |
| `CHEKT_MCP_OAUTH_PAGES_CLIENT_ID` | the approval pages' name there, a public client | none |
| `CHEKT_MCP_ISSUER_HOSTS` | where issuers may be: `public`, also `private`, or `loopback` (for tests) | public |
| `CHEKT_MCP_ISSUER_CA_FILE` | certificate of their own authority | none |
| `CHEKT_MCP_CHECKPOINT_ENTRIES` | how many audit entries make a signed checkpoint due | 1000 |
| `CHEKT_MCP_CHECKPOINT_SECONDS` | how old a checkpoint gets before new entries make another due | 300 |
| `CHEKT_MCP_ANCHOR_URL` | https URL that takes checkpoints (POST) and gives the newest (GET); docs/anchors.md | none |
| `CHEKT_MCP_ANCHOR_COMMAND` | command that keeps the checkpoint it reads on standard input | none |
| `CHEKT_MCP_ANCHOR_ASK` | command that prints the newest checkpoint kept by the one above | none |
| `CHEKT_MCP_ANALYSIS` | thresholds of `analyze_audit_log`: `name=number`, by commas; docs/analysis.md | none set |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from chekt_mcp.errors import InvalidInput
from chekt_mcp.oauth_setting import IssuerAccess, OAuthSetting, read_issuer_access, read_oauth
from chekt_mcp.setting_values import bad_setting, read_command, read_number, read_numbers, read_path

VAULT = "CHEKT_MCP_VAULT_ADDRESS"
ANALYSIS = {
    "baseline_days": (1, 90),
    "new_addresses": (1, 10_000),
    "burst_calls": (1, 1_000_000),
    "failed_calls": (1, 1_000_000),
    "burst_factor": (1, 1_000),
    "refusals": (1, 1_000),
    "usual_days": (1, 30),
    "silent_hours": (1, 168),
    "unused_days": (7, 400),
}
"""Thresholds that can be set, and how low and high."""


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
class AnchorSetting:
    """Who keeps checkpoints outside: a URL, a command (`ask` prints its newest), or both. `{dealer}` is a place."""

    url: str | None = None
    command: tuple[str, ...] | None = None
    ask: tuple[str, ...] | None = None


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
    checkpoint_entries: int = 1_000
    checkpoint_seconds: int = 300
    analysis: Mapping[str, int] = field(default_factory=dict)
    """Thresholds that are set, by name."""

    anchor: AnchorSetting = AnchorSetting()
    oauth: OAuthSetting | None = None
    """Whose access tokens are taken over HTTP; None: nobody's."""

    issuers: IssuerAccess = field(default_factory=IssuerAccess)
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
    directory = read_path("CHEKT_MCP_STATE", state_at) if state_at else _default_state()
    secrets = secrets_dir or environ.get("CHEKT_MCP_SECRETS_DIR")
    key_file, command = environ.get("CHEKT_API_KEY_FILE"), environ.get("CHEKT_MCP_KEK_COMMAND")
    return Settings(
        state=directory,
        secrets_dir=read_path("CHEKT_MCP_SECRETS_DIR", secrets) if secrets else directory / "secrets",
        api_key_file=read_path("CHEKT_API_KEY_FILE", key_file) if key_file else None,
        api_key=environ.get("CHEKT_API_KEY") or None,
        kek=environ.get("CHEKT_MCP_KEK") or None,
        kek_command=read_command("CHEKT_MCP_KEK_COMMAND", command) if command else None,
        sink=_sink(environ),
        approval_ttl=timedelta(minutes=read_number(environ, "CHEKT_MCP_APPROVAL_MINUTES", 10, 1, 1440)),
        grace=timedelta(hours=read_number(environ, "CHEKT_MCP_GRACE_HOURS", 24, 1, 720)),
        webhook_window=read_number(environ, "CHEKT_MCP_WEBHOOK_WINDOW", 300, 1, 3600),
        checkpoint_entries=read_number(environ, "CHEKT_MCP_CHECKPOINT_ENTRIES", 1_000, 1, 1_000_000),
        checkpoint_seconds=read_number(environ, "CHEKT_MCP_CHECKPOINT_SECONDS", 300, 5, 86_400),
        analysis=read_numbers(environ, "CHEKT_MCP_ANALYSIS", ANALYSIS),
        anchor=_anchor(environ),
        oauth=read_oauth(environ),
        issuers=read_issuer_access(environ),
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


def _anchor(environ: Mapping[str, str]) -> AnchorSetting:
    url, command = environ.get("CHEKT_MCP_ANCHOR_URL") or None, environ.get("CHEKT_MCP_ANCHOR_COMMAND")
    ask = environ.get("CHEKT_MCP_ANCHOR_ASK")
    if url and not url.startswith("https://"):
        raise bad_setting("CHEKT_MCP_ANCHOR_URL", "must begin with https://")
    if ask and not command:
        raise bad_setting("CHEKT_MCP_ANCHOR_ASK", "needs CHEKT_MCP_ANCHOR_COMMAND beside it")
    return AnchorSetting(
        url,
        read_command("CHEKT_MCP_ANCHOR_COMMAND", command) if command else None,
        read_command("CHEKT_MCP_ANCHOR_ASK", ask) if ask else None,
    )


def _sink(environ: Mapping[str, str]) -> CommandSetting | VaultSetting | None:
    command, address = environ.get("CHEKT_MCP_SINK_COMMAND"), environ.get(VAULT)
    seconds = read_number(environ, "CHEKT_MCP_SINK_SECONDS", 30, 1, 60)
    if command and address:
        raise bad_setting("CHEKT_MCP_SINK_COMMAND", "and CHEKT_MCP_VAULT_ADDRESS are both set; choose one")
    if address:
        return _vault(environ, address, seconds)
    check = environ.get("CHEKT_MCP_SINK_CHECK")
    if command:
        argv = read_command("CHEKT_MCP_SINK_COMMAND", command)
        _require_places("CHEKT_MCP_SINK_COMMAND", command)
        return CommandSetting(argv, read_command("CHEKT_MCP_SINK_CHECK", check) if check else None, seconds)
    return None


def _vault(environ: Mapping[str, str], address: str, seconds: int) -> VaultSetting:
    token_file, ca_file = environ.get("CHEKT_MCP_VAULT_TOKEN_FILE"), environ.get("CHEKT_MCP_VAULT_CA_FILE")
    if not token_file:
        raise bad_setting("CHEKT_MCP_VAULT_TOKEN_FILE", "is needed beside CHEKT_MCP_VAULT_ADDRESS")
    path = environ.get("CHEKT_MCP_VAULT_PATH") or "chekt/{dealer}/{app}"
    field_name = environ.get("CHEKT_MCP_VAULT_FIELD") or "{kind}"
    _require_places("CHEKT_MCP_VAULT_PATH", f"{path} {field_name}")
    return VaultSetting(
        address=address,
        token_file=read_path("CHEKT_MCP_VAULT_TOKEN_FILE", token_file),
        mount=environ.get("CHEKT_MCP_VAULT_MOUNT") or "secret",
        path=path,
        field=field_name,
        namespace=environ.get("CHEKT_MCP_VAULT_NAMESPACE") or None,
        ca_file=read_path("CHEKT_MCP_VAULT_CA_FILE", ca_file) if ca_file else None,
        seconds=seconds,
    )


def _require_places(name: str, text: str) -> None:
    """Refuse a place that is the same for every key: each would overwrite the one before."""
    if "{app}" not in text or "{kind}" not in text.lower():
        raise bad_setting(name, "must name {app} and {kind}, or one key would overwrite another")


def _default_state() -> Path:
    import platformdirs  # noqa: PLC0415 -- start-up is measured, and most configurations name the directory

    return Path(platformdirs.user_state_dir("chekt-mcp", appauthor=False))
