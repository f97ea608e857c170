"""Real storage, secrets, clock and randomness put together as the services that operations take."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from chekt_mcp.config import AnchorSetting, CommandSetting, Settings, VaultSetting
from chekt_mcp.domain.analysis.thresholds import Thresholds
from chekt_mcp.domain.api_key import KeyKind, RandomBytes
from chekt_mcp.operations.services import Clock, Limits, Sealing, Services
from chekt_mcp.secrets.interface import Sink
from chekt_mcp.storage.sqlite import open_storage

if TYPE_CHECKING:
    from chekt_mcp.anchors.interface import Anchor
    from chekt_mcp.network.interface import EndpointProbe


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FileSinks:
    """New values go to 0600 files: the one this client is configured with, else one under the secrets directory."""

    directory: Path
    session_file: Path | None = None

    def choose(self, dealer: str, app: str, kind: KeyKind, *, own: bool) -> Sink:
        """Return the sink for a credential; `own` when it is the one this session presents."""
        from chekt_mcp.secrets.file import FileSink, key_path  # noqa: PLC0415 -- only a rotation needs it

        if own and self.session_file is not None:
            return FileSink(self.session_file, "the key file this client is configured with")
        path = key_path(self.directory, dealer, app, kind)
        return FileSink(path, f"{dealer}/{path.name} in the secrets directory")

    def restore(self, name: str, target: str) -> Sink:
        """Find a sink again from what a rotation recorded."""
        from chekt_mcp.secrets.sinks import restore  # noqa: PLC0415 -- only recovery needs it

        return restore(name, target)


@dataclass(frozen=True, slots=True)
class ConfiguredSinks(FileSinks):
    """New values go where this installation is configured to put them: to a command, to Vault, or else to files."""

    setting: CommandSetting | VaultSetting | None = None

    def choose(self, dealer: str, app: str, kind: KeyKind, *, own: bool) -> Sink:
        """Return the sink for a credential; see `FileSinks`."""
        if self.setting is None:
            return FileSinks.choose(self, dealer, app, kind, own=own)
        places = {"{dealer}": dealer, "{app}": app, "{kind}": kind.value, "{KIND}": kind.value.upper()}
        if isinstance(self.setting, CommandSetting):
            return _command_sink(self.setting, places, f"{dealer}/{app}.{kind.value}")
        return _vault_sink(self.setting, places)


def _command_sink(setting: CommandSetting, places: Mapping[str, str], name: str) -> Sink:
    from chekt_mcp.secrets.command import CommandSink  # noqa: PLC0415 -- only a rotation needs it

    argv = tuple(_filled(argument, places) for argument in setting.argv)
    check = tuple(_filled(argument, places) for argument in setting.check) if setting.check else None
    return CommandSink(argv, check, float(setting.seconds), f"the configured command, for {name}")


def _vault_sink(setting: VaultSetting, places: Mapping[str, str]) -> Sink:
    from chekt_mcp.secrets.vault import VaultSink  # noqa: PLC0415 -- only a rotation needs it

    return VaultSink(
        address=setting.address,
        mount=setting.mount,
        path=_filled(setting.path, places),
        field=_filled(setting.field, places),
        token_file=setting.token_file,
        namespace=setting.namespace,
        ca_file=setting.ca_file,
        timeout=float(setting.seconds),
    )


def _filled(text: str, places: Mapping[str, str]) -> str:
    """Put names into a setting: they are of `a-z 0-9 - _` only, and no shell ever reads the result."""
    for place, value in places.items():
        text = text.replace(place, value)
    return text


@cache
def endpoint_probe() -> EndpointProbe:
    """Return the one way to other people's servers; it takes no setting."""
    from chekt_mcp.network.tls_probe import TlsProbe  # noqa: PLC0415 -- only a look at an endpoint needs it

    return TlsProbe()


def outside_anchors(setting: AnchorSetting) -> Sequence[Anchor]:
    """Return whoever keeps checkpoints, as configured.

    Raises:
        InvalidInput: the URL is none; code `bad_url`, or `credentials_in_url`.
    """
    # Start-up is measured, and checkpoints come later.
    from chekt_mcp.anchors.command import CommandAnchor  # noqa: PLC0415
    from chekt_mcp.anchors.url import url_anchor  # noqa: PLC0415
    from chekt_mcp.secrets.command import child_environment  # noqa: PLC0415

    anchors: list[Anchor] = [url_anchor(setting.url)] if setting.url else []
    if setting.command:
        anchors.append(CommandAnchor(setting.command, setting.ask, child_environment()))
    return anchors


def open_services(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    random: RandomBytes = secrets.token_bytes,
    one_caller: bool = False,
    make: bool = False,
) -> Services:
    """Open the state directory; `one_caller` and `make` as `storage.sqlite.open_storage` has them.

    Only `init` makes a state: elsewhere none means a wrong directory, or one that was lost.

    Raises:
        StateUnusable: the directory or database cannot be used; it was left untouched.
    """

    @cache
    def sealing() -> Sealing:
        from chekt_mcp.secrets import key_encryption_key  # noqa: PLC0415 -- most calls open no secret
        from chekt_mcp.secrets.sealing import Sealer  # noqa: PLC0415 -- same

        key = key_encryption_key.load(file=settings.kek_file, encoded=settings.kek, command=settings.kek_command)
        return Sealer(key, random)

    @cache
    def anchors() -> Sequence[Anchor]:
        return outside_anchors(settings.anchor)

    limits = Limits(
        settings.approval_ttl,
        settings.grace,
        settings.webhook_window,
        settings.checkpoint_entries,
        settings.checkpoint_seconds,
        Thresholds(**settings.analysis),
    )
    sinks = ConfiguredSinks(settings.secrets_dir, settings.api_key_file, settings.sink)
    return Services(
        open_storage(settings.state, random=random, one_caller=one_caller, make=make),
        sealing,
        sinks,
        clock,
        random,
        limits,
        endpoint_probe,
        anchors=anchors,
        exports=settings.state / "exports",
    )
