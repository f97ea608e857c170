"""The gate: may this caller use this tool, on this app. Deny unless something says yes."""

from __future__ import annotations

from chekt_mcp.domain.choice import parse_choice
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.errors import InvalidInput, NotFound, NotPermitted


def require_scope(grant: Grant, tool: str, scope: Scope | None) -> None:
    """Pass when the grant holds `scope`.

    Raises:
        NotPermitted: code `permission_denied`, naming the scope and who can grant it.
    """
    if grant.allows(scope):
        return
    raise NotPermitted(
        f"{tool} needs the scope {scope}, which this caller does not hold.",
        missing_scope=scope,
        fix=f"Whoever runs this server can grant it: `chekt-mcp app scopes {grant.app or 'APP'} --add {scope}`.",
    )


def choose_app(grant: Grant, named: str | None) -> str:
    """Return the app a call is about: the one named, or the only one the grant covers.

    Raises:
        InvalidInput: code `app_required`, when several are covered and none was named.
        NotFound: code `unknown_app`, the same for an app that does not exist and one outside the grant.
    """
    if named is None and len(grant.apps) == 1:
        return grant.apps[0]
    if named is None:
        raise InvalidInput(
            "This caller covers several apps; say which one.",
            field="app",
            code="app_required",
            fix="Covered: " + ", ".join(grant.apps) + ".",
        )
    if named not in grant.apps:
        raise NotFound(
            "This caller covers no app of that name.",
            field="app",
            code="unknown_app",
            fix="Covered: " + ", ".join(grant.apps) + ".",
        )
    return named


def choose_apps(grant: Grant, named: str | None) -> tuple[tuple[str, ...], bool]:
    """Return the apps that a search is about, and whether entries of no app are meant too.

    `named` is a choice (`domain.choice`); without one, and with a negated one, what belongs to no app is meant too.

    Raises:
        InvalidInput: as `parse_choice`.
        NotFound: code `unknown_app`, for one of those named.
    """
    if named is None:
        return grant.apps, True
    choice = parse_choice(named, "app")
    chosen = tuple(choose_app(grant, one) for one in choice.values)
    return (tuple(app for app in grant.apps if app not in chosen), True) if choice.negated else (chosen, False)
