"""What an app is to be, whether the dealer may have it, and its rows once it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment, default_confirmation
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import Conflict, NotFound, NotPermitted
from chekt_mcp.operations.allow_list.first_allow_list import first_version
from chekt_mcp.operations.operator import Operator
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import SealedKey


@dataclass(frozen=True, slots=True)
class AppRows:
    """Everything that is stored of a new app."""

    app: App
    keys: tuple[SealedKey, ...]
    allow_list: AllowListVersion | None


@dataclass(frozen=True, slots=True)
class AppPlan:
    """What was asked for. `confirm` None means the rule for the environment; `allow_list` is checked text."""

    dealer: str
    name: str
    environment: Environment
    scopes: frozenset[Scope]
    covers: tuple[str, ...] = ()
    confirm: ConfirmBy | None = None
    allow_list: str | None = None

    def rows(self, authority: Authority, keys: tuple[SealedKey, ...], operator: Operator, at: datetime) -> AppRows:
        """Return the app with its keys and, where there is one, version 1 of its list."""
        app = App(
            dealer=self.dealer,
            name=self.name,
            environment=self.environment,
            authority=authority,
            scopes=self.scopes,
            confirm=self.confirm or default_confirmation(self.environment),
            created_at=at,
            covers=self.covers,
        )
        if self.allow_list is None:
            return AppRows(app, keys, None)
        return AppRows(app, keys, first_version(app, self.allow_list, operator.principal))


async def admit(reader: Reader, plan: AppPlan, *, has_new_passphrase: bool) -> None:
    """Pass when the dealer may have this app.

    Raises:
        Conflict: code `app_exists`.
        NotFound: code `unknown_app`, for one to cover that the dealer does not have.
        NotPermitted: code `passphrase_required`: without one nothing could ever approve a live app's changes.
    """
    if await reader.app(plan.dealer, plan.name) is not None:
        raise Conflict(
            f"The dealer has an app {plan.name} already.",
            code="app_exists",
            fix="Look at it with `chekt-mcp app show`, choose another name, or take in what is new of an adopted app"
            " with `chekt-mcp app adopt --replace`.",
        )
    for other in plan.covers:
        if other == plan.name or await reader.app(plan.dealer, other) is None:
            raise NotFound(
                "An app to cover must be another app of the same dealer.", field="covers", code="unknown_app"
            )
    if plan.environment is Environment.LIVE and not has_new_passphrase and await reader.approver(plan.dealer) is None:
        raise NotPermitted("A live app needs an approver passphrase.", code="passphrase_required")


async def store(writer: Writer, operator: Operator, rows: AppRows, action: str) -> None:
    """Add the rows and the log entry that tells them; the keys by id and fingerprint only."""
    app = rows.app
    await writer.add_app(app)
    for key in rows.keys:
        await writer.add_key(key)
    if rows.allow_list is not None:
        await writer.add_allow_list(rows.allow_list)
    await writer.append([operator.entry(app.dealer, action, app.created_at, app=app.name, details=_details(rows))])


def _details(rows: AppRows) -> dict[str, object]:
    app = rows.app
    keys = {one.key.kind.value: f"{one.key.key_id} {one.key.fingerprint}" for one in rows.keys}
    return {
        "environment": app.environment.value,
        "authority": app.authority.value,
        "scopes": " ".join(sorted(app.scopes)),
        "covers": " ".join(app.covers),
        "confirm": app.confirm.value,
        "allow_list_version": rows.allow_list.version if rows.allow_list else 0,
        **keys,
    }
