"""Take in what changed at CHeKT: a new key or secret starts the grace of the old one, a new list is a new version.

The grace is counted from now, since nobody here knows when the portal's began; CHeKT ends it, not this server.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.api_key import KeyKind, KeyState, retired
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import Conflict, InvalidInput
from chekt_mcp.operations.apps.adopted_values import AdoptedValues
from chekt_mcp.operations.keys.key_material import KeyPair, dealer_record, key_pair, open_secret
from chekt_mcp.operations.keys.new_key import stored
from chekt_mcp.operations.keys.portal_rotation import close_in_portal
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import Dealer, SealedKey


@dataclass(frozen=True, slots=True)
class Replaced:
    """A key or secret that took another's place; `previous_valid_until` is None when there was none.

    `revoked`: the rotation was asked for without a time of grace, so the one before opens nothing here any more.
    """

    kind: KeyKind
    fingerprint: str
    previous_valid_until: datetime | None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Readopted:
    """What is new; nothing in it when everything that was brought was in force already."""

    app: App
    replaced: tuple[Replaced, ...]
    allow_list_version: int | None


@dataclass(frozen=True, slots=True)
class Readoption:
    """Replace what a known platform app has, in one transaction. `values` have been checked by their form.

    `revoke_previous` ends what is replaced at once. The person who adopts says so; that a caller once asked for a
    rotation without grace decides nothing here, for nobody confirmed it.
    """

    services: Services = field(repr=False)
    operator: Operator
    dealer: str
    name: str
    values: AdoptedValues
    revoke_previous: bool = False

    async def run(self) -> Readopted:
        """Return what is new.

        Raises:
            NotFound: code `unknown_app`.
            Conflict: code `not_a_platform_app`, or the key is known here already (as another app's, or an older one).
            InvalidInput: code `mixed_environments`.
        """
        app, dealer = await self.services.storage.read(self._facts)
        now = self.services.clock()
        fresh = [
            stored(self.services, dealer, app.name, kind, value, now, key_id=self.values.id_of(kind))
            for kind, value in self.values.credentials()
        ]

        async def work(writer: Writer) -> Readopted:
            new = [key for key in fresh if not await self._in_force(writer, dealer, key)]
            replaced = [await self._replace(writer, key, now) for key in new]
            version = await self._new_list(writer, app, now)
            if replaced or version:
                details = _details(tuple(replaced), version)
                await writer.append(
                    [self.operator.entry(app.dealer, "app.readopt", now, app=app.name, details=details)]
                )
            return Readopted(app, tuple(replaced), version)

        return await self.services.storage.write(work)

    async def _facts(self, reader: Reader) -> tuple[App, Dealer]:
        app = await known_app(reader, self.dealer, self.name)
        if app.authority is not Authority.PLATFORM:
            raise Conflict(
                f"{app.name} was issued here, not by CHeKT.",
                code="not_a_platform_app",
                fix="Its key is replaced with rotate_key, its list with update_allow_list.",
            )
        if self.values.environment() not in {None, app.environment}:
            raise InvalidInput(
                f"What was given is not of the app's environment ({app.environment}).", code="mixed_environments"
            )
        return app, await dealer_record(reader, self.dealer)

    async def _in_force(self, reader: Reader, dealer: Dealer, fresh: SealedKey) -> bool:
        current = (await self._pair(reader, fresh.key.kind)).current
        if current is None:
            return False
        if fresh.key.kind is KeyKind.API_KEY:
            return current.value_hash == fresh.value_hash
        return open_secret(self.services.sealing(), dealer, current) == self.values.signing_secret

    async def _replace(self, writer: Writer, fresh: SealedKey, now: datetime) -> Replaced:
        pair = await self._pair(writer, fresh.key.kind)
        await close_in_portal(writer, fresh.key, now)
        until = None if self.revoke_previous else now + self.services.limits.grace
        if pair.previous is not None:
            await writer.update_key(replace(pair.previous.key, state=KeyState.REVOKED, revoked_at=now))
        if pair.current is not None:
            await writer.update_key(retired(pair.current.key, until, now))
        await writer.add_key(fresh)
        return Replaced(
            fresh.key.kind, fresh.key.fingerprint, until if pair.current else None, revoked=self.revoke_previous
        )

    async def _new_list(self, writer: Writer, app: App, now: datetime) -> int | None:
        if self.values.allow_list is None:
            return None
        current = await writer.allow_list(app.dealer, app.name)
        if current is not None and current.enabled and current.text == self.values.allow_list:
            return None
        version = AllowListVersion(
            dealer=app.dealer,
            app=app.name,
            version=current.version + 1 if current else 1,
            enabled=True,
            text=self.values.allow_list,
            effective_at=now,
            set_by=self.operator.principal,
            reason="adopted from CHeKT",
        )
        await writer.add_allow_list(version)
        return version.version

    async def _pair(self, reader: Reader, kind: KeyKind) -> KeyPair:
        return await key_pair(reader, self.dealer, self.name, kind)


def _details(replaced: tuple[Replaced, ...], version: int | None) -> dict[str, object]:
    details: dict[str, object] = {one.kind.value: one.fingerprint for one in replaced}
    until = next((one.previous_valid_until for one in replaced if one.previous_valid_until), None)
    if until is not None:
        details["previous_valid_until"] = rfc3339(until)
    return {**details, "allow_list_version": version} if version else details
