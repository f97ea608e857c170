"""Change what an app may do and who confirms its changes; its keys stay as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from chekt_mcp.domain.app import App, ConfirmBy, Environment
from chekt_mcp.domain.rate_tier import RateTier
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import NotPermitted
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Changes to one app. Each returns the app as it is now; asking for what is so already logs nothing."""

    services: Services = field(repr=False)
    operator: Operator
    dealer: str
    name: str

    async def scopes(self, add: frozenset[Scope], remove: frozenset[Scope]) -> App:
        """Add and take away scopes.

        Raises:
            NotFound: code `unknown_app`.
        """
        details = {"added": " ".join(sorted(add)), "removed": " ".join(sorted(remove))}
        return await self._change("app.scopes", lambda app: replace(app, scopes=(app.scopes | add) - remove), details)

    async def confirm(self, by: ConfirmBy) -> App:
        """Set who confirms the app's changes.

        Raises:
            NotFound: code `unknown_app`.
        """
        return await self._change("app.confirm", lambda app: replace(app, confirm=by), {"confirm": by.value})

    async def unattended(self, callers: tuple[str, ...]) -> App:
        """Set whose runbooks change this app without anybody being asked; each is an app of the dealer.

        Raises:
            NotFound: code `unknown_app`.
            NotPermitted: code `live_app`: a live app's changes are always confirmed by a person.
        """
        app = await self.services.storage.read(self._checked(callers))
        if callers and app.environment is Environment.LIVE:
            raise NotPermitted("A live app's changes are always confirmed by a person.", code="live_app")
        details = {"callers": " ".join(callers)}
        return await self._change("app.unattended", lambda one: replace(one, unattended=callers), details)

    async def over_http(self, *, rate: RateTier | None, own_key: bool | None) -> App:
        """Set how often the app's callers may call over HTTP, and whether an adopted app's own key may; None leaves it.

        Raises:
            NotFound: code `unknown_app`.
        """
        given: dict[str, object] = {} if rate is None else {"rate": rate}
        if own_key is not None:
            given["own_key_over_http"] = own_key
        return await self._change("app.http", lambda app: replace(app, **given), given)  # type: ignore[arg-type]  # by name

    def _checked(self, callers: tuple[str, ...]) -> Callable[[Reader], Awaitable[App]]:
        async def work(reader: Reader) -> App:
            known = [await known_app(reader, self.dealer, name) for name in (self.name, *callers)]
            return known[0]

        return work

    async def _change(self, action: str, change: Callable[[App], App], details: Mapping[str, object]) -> App:
        now = self.services.clock()

        async def work(writer: Writer) -> App:
            app = await known_app(writer, self.dealer, self.name)
            changed = change(app)
            if changed != app:
                await writer.update_app(changed, now)
                await writer.append([self.operator.entry(app.dealer, action, now, app=app.name, details=details)])
            return changed

        return await self.services.storage.write(work)
