"""Apps and their allow lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.rate_tier import RateTier
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.storage.sqlite.failure import unique
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment

APP = (
    "SELECT dealer, name, environment, authority, scopes, confirm, created_at, covers, unattended, rate,"
    " own_key_over_http FROM apps"
)
VERSION = "SELECT version, enabled, text, effective_at, set_by, reason FROM allow_list_versions"
KNOWN_SCOPES = frozenset(Scope)


class AppReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def app(self, dealer: str, name: str) -> App | None:
        """Return one app."""
        row = self._row(f"{APP} WHERE dealer = ? AND name = ?", dealer, name)
        return None if row is None else _app(row)

    async def apps(self, dealer: str) -> Sequence[App]:
        """Return every app of the dealer, by name."""
        return [_app(row) for row in self._rows(f"{APP} WHERE dealer = ? ORDER BY name", dealer)]

    async def allow_list(self, dealer: str, app: str) -> AllowListVersion | None:
        """Return the newest version."""
        newest = await self.allow_list_history(dealer, app, 1)
        return newest[0] if newest else None

    async def allow_list_history(self, dealer: str, app: str, limit: int) -> Sequence[AllowListVersion]:
        """Return the newest `limit` versions, newest first."""
        newest = f"{VERSION} WHERE dealer = ? AND app = ? ORDER BY version DESC LIMIT ?"
        return [_version(dealer, app, row) for row in self._rows(newest, dealer, app, limit)]

    async def allow_list_version(self, dealer: str, app: str, version: int) -> AllowListVersion | None:
        """Return one version."""
        row = self._row(f"{VERSION} WHERE dealer = ? AND app = ? AND version = ?", dealer, app, version)
        return None if row is None else _version(dealer, app, row)

    async def allow_list_at(self, dealer: str, app: str, moment: datetime) -> AllowListVersion | None:
        """Return the version that was in force at a moment."""
        then = f"{VERSION} WHERE dealer = ? AND app = ? AND effective_at <= ? ORDER BY version DESC LIMIT 1"
        row = self._row(then, dealer, app, microseconds(moment))
        return None if row is None else _version(dealer, app, row)


class AppWriter(AppReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_app(self, app: App) -> None:
        """Add an app; `Conflict` when the dealer has one of that name."""
        with unique("app_exists", "The dealer has an app of that name already."):
            self._change(
                "INSERT INTO apps (dealer, name, environment, authority, scopes, confirm, created_at, covers,"
                " unattended, rate, own_key_over_http) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                app.dealer,
                app.name,
                app.environment.value,
                app.authority.value,
                " ".join(sorted(app.scopes)),
                app.confirm.value,
                microseconds(app.created_at),
                " ".join(app.covers),
                " ".join(app.unattended),
                app.rate.value,
                app.own_key_over_http,
            )
        self._keep_grants(app, app.created_at)

    async def update_app(self, app: App, now: datetime) -> None:
        """Store what can be changed of a known app; see `storage.interface.Writer`."""
        changed = self._change(
            "UPDATE apps SET scopes = ?, covers = ?, confirm = ?, unattended = ?, rate = ?, own_key_over_http = ?"
            " WHERE dealer = ? AND name = ?",
            " ".join(sorted(app.scopes)),
            " ".join(app.covers),
            app.confirm.value,
            " ".join(app.unattended),
            app.rate.value,
            app.own_key_over_http,
            app.dealer,
            app.name,
        )
        if not changed:
            raise NotFound("There is no such app.", field="app")
        self._keep_grants(app, now)

    def _keep_grants(self, app: App, now: datetime) -> None:
        """Remember of each scope since when the app has held it; one that was taken away begins anew."""
        held = sorted(app.scopes)
        kept = f"scope NOT IN ({','.join('?' * len(held))})"
        self._change(f"DELETE FROM scope_grants WHERE dealer = ? AND app = ? AND {kept}", app.dealer, app.name, *held)  # noqa: S608 -- places only
        grant = "INSERT INTO scope_grants (dealer, app, scope, granted_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        for scope in held:
            self._change(grant, app.dealer, app.name, scope.value, microseconds(now))

    async def add_allow_list(self, version: AllowListVersion) -> None:
        """Add the next version; `Conflict` when it does not follow the current one."""
        current = await self.allow_list(version.dealer, version.app)
        if version.version != (current.version if current else 0) + 1:
            raise Conflict("The allow list has changed meanwhile.", code="allow_list_changed")
        self._change(
            "INSERT INTO allow_list_versions (dealer, app, version, enabled, text, effective_at, set_by, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            version.dealer,
            version.app,
            version.version,
            version.enabled,
            version.text,
            microseconds(version.effective_at),
            version.set_by,
            version.reason,
        )


def _app(row: Row) -> App:
    dealer, name, environment, authority, scopes, confirm, created_at, covers, unattended, rate, own_key = row
    return App(
        dealer=dealer,
        name=name,
        environment=Environment(environment),
        authority=Authority(authority),
        scopes=frozenset(Scope(scope) for scope in scopes.split() if scope in KNOWN_SCOPES),  # others open nothing
        confirm=ConfirmBy(confirm),
        created_at=moment(created_at),
        covers=tuple(covers.split()),
        unattended=tuple(unattended.split()),
        rate=RateTier(rate),
        own_key_over_http=bool(own_key),
    )


def _version(dealer: str, app: str, row: Row) -> AllowListVersion:
    version, enabled, text, effective_at, set_by, reason = row
    return AllowListVersion(
        dealer=dealer,
        app=app,
        version=version,
        enabled=bool(enabled),
        text=text,
        effective_at=moment(effective_at),
        set_by=set_by,
        reason=reason,
    )
