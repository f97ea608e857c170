"""An API key in, a grant or the reason for none out. The same steps for every transport.

1. The form of a key (a wrong one is never looked up).
2. The stored key with its hash.
3. Its state at this moment: current, previous within grace, or no longer good.
4. Its app, from which dealer, apps and scopes come.
"""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.auth.credential import Problem
from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.app import App
from chekt_mcp.domain.scope import Grant
from chekt_mcp.storage.interface import Reader

MALFORMED = Problem(
    "malformed_key",
    "What was given as the API key does not have the form of one.",
    "An API key begins with chekt_live_ or chekt_test_. Check for missing characters, quotes or spaces.",
)
SIGNING_SECRET_GIVEN = Problem(
    "signing_secret_given",
    "A webhook signing secret was given where the API key belongs.",
    "Use the app's API key (chekt_live_… or chekt_test_…); the signing secret only verifies webhooks.",
)
UNKNOWN = Problem(
    "unknown_key",
    "This server does not know that API key.",
    "Check CHEKT_MCP_STATE and the key file; `chekt-mcp app list` shows the fingerprints that are known.",
)
MISTYPED = Problem(
    "unknown_key",
    "This server does not know that API key, and its checksum does not fit: a character may be wrong or missing.",
    "Copy the key again. If it was issued by CHeKT and never adopted here, run `chekt-mcp app adopt`.",
)
REVOKED = Problem(
    "revoked_key",
    "That API key has been revoked.",
    "Use the app's current key; `chekt-mcp app show <app>` tells its fingerprint.",
)
EXPIRED = Problem(
    "expired_key",
    "That API key was replaced, and its time of grace is over.",
    "Use the app's current key; `chekt-mcp app show <app>` tells its fingerprint.",
)
NOT_YET = Problem(
    "key_not_active",
    "That API key belongs to a rotation that has not been completed.",
    "Try again in a moment; if it stays so, run `chekt-mcp doctor`.",
)


NOBODY = ""
"""No dealer and no app has this name."""


async def authenticate(reader: Reader, value: str, now: datetime) -> tuple[Grant | Problem, Key | None]:
    """Return the grant of `value`, or the problem; with it the stored key where there is one."""
    if not api_key.API_KEY.fullmatch(value):
        return _unknown(value), None
    key = await reader.key_by_hash(api_key.key_hash(value))
    if key is None or key.kind is not KeyKind.API_KEY:
        return _unknown(value), None
    if not key.live_at(now):
        return _dead(key), key
    app = await reader.app(key.dealer, key.app)
    return (UNKNOWN if app is None else grant_of(app, key)), key


async def authenticate_evenly(reader: Reader, value: str, now: datetime) -> tuple[Grant | Problem, Key | None]:
    """Do as `authenticate`, with the same look-ups whatever `value` is: over a network the time taken tells nothing.

    A key that is refused costs what one that is accepted does: a hash, a look for the key and a look for its app.
    """
    stored = await reader.key_by_hash(api_key.key_hash(value))
    app = await reader.app(stored.dealer, stored.app) if stored else await reader.app(NOBODY, NOBODY)
    if not api_key.API_KEY.fullmatch(value) or stored is None or stored.kind is not KeyKind.API_KEY:
        return _unknown(value), None
    if not stored.live_at(now):
        return _dead(stored), stored
    return (UNKNOWN if app is None else grant_of(app, stored)), stored


def grant_of(app: App, key: Key) -> Grant:
    """Build the grant of an app's own key."""
    return Grant(
        dealer=app.dealer,
        principal=app.principal,
        credential="api_key",
        app=app.name,
        apps=tuple(dict.fromkeys((app.name, *app.covers))),
        scopes=app.scopes,
        key_id=key.key_id,
    )


def _unknown(value: str) -> Problem:
    if api_key.SIGNING_SECRET.fullmatch(value):
        return SIGNING_SECRET_GIVEN
    if not api_key.API_KEY.fullmatch(value):
        return MALFORMED
    return UNKNOWN if api_key.checksum_holds(value) else MISTYPED


def _dead(key: Key) -> Problem:
    if key.state is KeyState.PENDING:
        return NOT_YET
    return EXPIRED if key.state is KeyState.PREVIOUS else REVOKED
