"""Verify a delivery that somebody saved, for a person at the terminal: the tool's own operation, and its log entry."""

from __future__ import annotations

from dataclasses import dataclass, field

from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.operations.known_app import unknown_app
from chekt_mcp.operations.operator import SOURCE, Operator
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.operations.webhook.verify_delivery import Delivery, VerifyWebhook, verify_delivery

ACTION = "webhook.verify"


@dataclass(frozen=True, slots=True)
class SavedDeliveryCheck:
    """A check against the secrets of one app. Whoever works on the state may ask about every app of the dealer."""

    services: Services = field(repr=False)
    operator: Operator
    dealer: str
    app: str

    async def verify(self, delivery: Delivery) -> VerifyWebhook:
        """Verify, diagnose, note the delivery as seen, and write all that to the log before it is told.

        Raises:
            NotFound: code `unknown_app`.
            SecretUnreadable: a signing secret cannot be opened.
        """
        call = Call(await self._grant(), self.operator.request_id, self.services.clock(), SOURCE)
        result = await verify_delivery(self.services, call, self.app, delivery)
        details = {"verdict": result["verdict"], "cause": result["cause"] or "none", "seen": result["seen"]["times"]}
        entry = self.operator.entry(self.dealer, ACTION, call.now, app=self.app, details=details)
        await self.services.storage.write(lambda writer: writer.append([entry]))
        return result

    async def _grant(self) -> Grant:
        names = [app.name for app in await self.services.storage.read(lambda reader: reader.apps(self.dealer))]
        if self.app not in names:
            raise unknown_app()
        return Grant(
            dealer=self.dealer,
            principal=self.operator.principal,
            credential="none",
            app=None,
            apps=(self.app, *(name for name in names if name != self.app)),
            scopes=frozenset({Scope.WEBHOOKS_READ}),
        )
