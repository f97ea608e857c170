"""A real state directory with a dealer, apps, keys and lists, a clock that a test moves, and real MCP clients."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, InputResponses, TextContent

from chekt_mcp.auth.caller import by_key
from chekt_mcp.auth.credential import KeySource
from chekt_mcp.domain import api_key
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment, default_confirmation
from chekt_mcp.domain.audit import Entry, NewEntry, Query
from chekt_mcp.domain.choice import any_of
from chekt_mcp.domain.scope import SERVER_SCOPES, Scope
from chekt_mcp.network.guard import AddressGuard
from chekt_mcp.network.interface import EndpointProbe
from chekt_mcp.network.tls_probe import TlsProbe
from chekt_mcp.operations.keys.key_material import secret_identity
from chekt_mcp.operations.services import Limits, Services
from chekt_mcp.secrets.file import read_key_file
from chekt_mcp.secrets.sealing import Sealer
from chekt_mcp.server import build_server
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import Dealer, SealedKey
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.tools.gateway import Gateway
from chekt_mcp.wiring import FileSinks

START = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
Era = Literal["modern", "legacy"]
MODES: Mapping[Era, str] = {"modern": "auto", "legacy": "legacy"}


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Randomness:
    """Bytes that look random and are the same in every run."""

    def __init__(self, seed: str = "world") -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, length: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(f"{self._seed}:{self._drawn}".encode()).digest(length)


def off_the_network() -> EndpointProbe:
    """Return a probe for which no name has an address."""

    async def unknown(_host: str) -> list[str]:
        return []

    return TlsProbe(AddressGuard(unknown))


@dataclass
class World:
    """One state directory. Values of keys and secrets are kept here only, as a person would hold them."""

    directory: Path
    clock: Clock = field(default_factory=Clock)
    random: Randomness = field(default_factory=Randomness)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    probe: EndpointProbe = field(default_factory=off_the_network)

    def __post_init__(self) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.storage = open_storage(self.directory, one_caller=True)
        self.sealer = Sealer(b"k" * 32, self.random)
        self.sinks = FileSinks(self.directory / "secrets")
        self._wrapped: dict[str, bytes] = {}

    def services(self, *, session_file: Path | None = None) -> Services:
        sinks = FileSinks(self.directory / "secrets", session_file)
        return Services(
            self.storage,
            lambda: self.sealer,
            sinks,
            self.clock,
            self.random,
            Limits(),
            lambda: self.probe,
            exports=self.directory / "exports",
        )

    async def add_dealer(self, dealer: str) -> None:
        self._wrapped[dealer] = self.sealer.new_data_key(dealer)
        record = Dealer(dealer, self.clock(), self._wrapped[dealer])
        await self.storage.write(lambda writer: writer.add_dealer(record))

    async def add_app(  # noqa: PLR0913 -- everything an app can differ in
        self,
        name: str,
        *,
        dealer: str = "acme",
        env: str = "test",
        authority: str = "local",
        scopes: tuple[Scope, ...] = SERVER_SCOPES,
        covers: tuple[str, ...] = (),
        confirm: str | None = None,
        allow_list: str | None = None,
    ) -> str:
        """Add an app with a key and a signing secret; return the key."""
        if dealer not in self._wrapped:
            await self.add_dealer(dealer)
        environment = Environment(env)
        how = ConfirmBy(confirm) if confirm else default_confirmation(environment)
        app = App(dealer, name, environment, Authority(authority), frozenset(scopes), how, self.clock(), covers)
        value = api_key.mint(KeyKind.API_KEY, environment, self.random)
        secret = api_key.mint(KeyKind.SIGNING_SECRET, environment, self.random)
        self.keys[dealer, name], self.secrets[dealer, name] = value, secret

        async def work(writer: Writer) -> None:
            await writer.add_app(app)
            await writer.add_key(self._api_key(app, value))
            await writer.add_key(self._secret(app, secret))
            if allow_list is not None:
                version = AllowListVersion(
                    dealer,
                    name,
                    1,
                    enabled=True,
                    text=allow_list,
                    effective_at=self.clock(),
                    set_by="x",
                    reason="first",
                )
                await writer.add_allow_list(version)

        await self.storage.write(work)
        return value

    def _api_key(self, app: App, value: str) -> SealedKey:
        return SealedKey(self._key(app, KeyKind.API_KEY, value), value_hash=api_key.key_hash(value))

    def _secret(self, app: App, value: str) -> SealedKey:
        stored = SealedKey(self._key(app, KeyKind.SIGNING_SECRET, value))
        wrapped = self._wrapped[app.dealer]
        return SealedKey(stored.key, sealed=self.sealer.seal(wrapped, app.dealer, secret_identity(stored), value))

    def _key(self, app: App, kind: KeyKind, value: str) -> Key:
        key_id = "key_" + hashlib.sha256(value.encode()).hexdigest()[:12]
        shown = api_key.fingerprint(value)
        return Key(key_id, app.dealer, app.name, kind, KeyState.CURRENT, shown, self.clock())

    async def log(self, *entries: NewEntry) -> None:
        await self.storage.write(lambda writer: writer.append(entries))

    async def entries(
        self, dealer: str = "acme", apps: tuple[str, ...] = ("shop",), *, dealer_wide: bool = False, **conditions: Any
    ) -> list[Entry]:
        """Return what the log holds, oldest first; each condition names one value."""
        chosen: dict[str, Any] = {name: any_of(value) for name, value in conditions.items()}
        since, until = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
        query = Query(dealer, apps, since, until, dealer_wide=dealer_wide, **chosen)
        return list(reversed(await self.storage.read(lambda reader: reader.search(query, 10_000))))

    def gateway(self, key: str | None = None, *, key_file: Path | None = None, ask_timeout: float = 5.0) -> Gateway:
        source = KeySource(file=key_file, value=key, read_file=read_key_file)
        services = self.services(session_file=key_file)
        return Gateway(lambda: services, by_key(source), "stdio", ask_timeout)

    @asynccontextmanager
    async def client(
        self,
        key: str | None = None,
        era: Era = "modern",
        *,
        person: ElicitationFnT | None = None,
        key_file: Path | None = None,
        ask_timeout: float = 5.0,
    ) -> AsyncIterator[Client]:
        """Connect a real client, in memory, with a person who answers forms (or none)."""
        server = build_server(self.gateway(key, key_file=key_file, ask_timeout=ask_timeout))
        async with Client(server, mode=MODES[era], elicitation_callback=person) as client:
            yield client

    def sign(
        self, body: bytes, *, app: str = "shop", dealer: str = "acme", at: datetime | None = None
    ) -> dict[str, str]:
        """Sign a delivery as CHeKT does and return its headers."""
        timestamp = str(int((at or self.clock()).timestamp()))
        secret = self.secrets[dealer, app].encode()
        signature = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {
            "X-CHeKT-Signature": signature,
            "X-CHeKT-Timestamp": timestamp,
            "X-CHeKT-Event-Id": "evt_2hKqx9",
            "X-CHeKT-Delivery-Id": "del_8jx2k",
            "X-CHeKT-Attempt": "1",
        }


@dataclass
class Person:
    """Somebody at a client who answers every form the same way and remembers what was shown."""

    action: Literal["accept", "decline", "cancel"] = "accept"
    typed: Mapping[str, str] | None = None
    before: Callable[[], Any] | None = None
    shown: list[str] = field(default_factory=list)

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG002 -- the SDK's form
        self.shown.append(params.message)
        if self.before is not None:
            await self.before()
        content = {**(self.typed or {})} if self.action == "accept" else None
        return ElicitResult.model_validate({"action": self.action, "content": content})


def yes(question: str, typed: str) -> InputResponses:
    """Return an accepted form for a question, as a client that drives the rounds itself sends it."""
    return {question: ElicitResult(action="accept", content={"app": typed})}


def words(result: CallToolResult) -> str:
    """Return what a text-only client would show."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def structured(result: CallToolResult) -> dict[str, Any]:
    """Return the structured result of a call that succeeded."""
    assert not result.is_error, words(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def refusal(result: CallToolResult) -> str:
    """Return the text of a refusal, which has no structured form."""
    assert result.is_error
    assert result.structured_content is None
    return words(result)
