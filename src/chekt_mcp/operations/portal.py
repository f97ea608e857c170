"""Steps in CHeKT's dealer portal, for what lives there. Source: seeds/apps-security-and-ip-allow-lists.txt."""

from __future__ import annotations

from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.operations.change import Outcome, Request


def portal_required(request: Request, steps: list[str], at_stake: str) -> Outcome:
    """Say that CHeKT holds this and only its portal can change it; nothing was changed here."""
    return {
        "status": "portal_required",
        "app": request.app,
        "message": f"{request.app} is CHeKT's: only the dealer portal can change it. Nothing was changed. {at_stake}",
        "steps": steps,
    }


def rotate_steps(app: str, kind: KeyKind) -> list[str]:
    """Return the way to a new key, and how this server learns of it."""
    what = "key" if kind is KeyKind.API_KEY else "signing secret"
    return [
        f"In the dealer portal open Settings → CHeKT Apps → {app} → Security.",
        f"Click Rotate key (for the {what}). CHeKT shows the new {what} once: copy it into your secret manager.",
        "Deploy it everywhere. The old one works for 24 more hours.",
        f"At a terminal run `chekt-mcp app adopt {app} --replace` with the new {what}, so that checks stay true.",
        "When everything calls with the new one, click Revoke previous in the portal.",
    ]


def revoke_steps(app: str) -> list[str]:
    """Return the way to end the grace period."""
    return [
        f"In the dealer portal open Settings → CHeKT Apps → {app} → Security.",
        "Click Revoke previous. The old key stops working at once.",
    ]


def allow_list_steps(app: str) -> list[str]:
    """Return the way to another allow list, and how this server learns of it."""
    return [
        f"In the dealer portal open Settings → CHeKT Apps → {app} → Security.",
        "Edit the allow list (one address or CIDR per line) and save. It takes effect within 30 seconds.",
        f"At a terminal run `chekt-mcp app adopt {app} --replace --allow-list FILE`, so that checks here stay true.",
    ]
