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


def rotate_steps(app: str, kind: KeyKind, *, revoke_now: bool = False) -> list[str]:
    """Return the way to a new key, and how this server learns of it. `revoke_now`: without the 24 hours."""
    what = "key" if kind is KeyKind.API_KEY else "signing secret"
    command = f"chekt-mcp keys adopt {app}" + (" --revoke-previous" if revoke_now else "")
    adopt = f"At a terminal run `{command}` and give it the new {what}, so that checks here stay true."
    revoke = "Click Revoke previous"
    return [
        f"In the dealer portal open {security_tab(app)}.",
        f"Click Rotate key (for the {what}). CHeKT shows the new {what} once: copy it into your secret manager.",
        *([f"{revoke} at once: whatever still uses the old one fails."] if revoke_now else []),
        "Deploy it everywhere." + ("" if revoke_now else " The old one works for 24 more hours."),
        adopt,
        *([] if revoke_now else [f"When get_key_status says safe_to_revoke, click {revoke.removeprefix('Click ')}."]),
    ]


def revoke_steps(app: str) -> list[str]:
    """Return the way to end the grace period."""
    return [
        f"In the dealer portal open {security_tab(app)}.",
        "Click Revoke previous. The old key stops working at once.",
    ]


def security_tab(app: str) -> str:
    """Return where an app's keys are in the dealer portal."""
    return f"Settings → CHeKT Apps → {app} → Security"


def allow_list_steps(app: str) -> list[str]:
    """Return the way to another allow list, and how this server learns of it."""
    return [
        f"In the dealer portal open Settings → CHeKT Apps → {app} → Security.",
        "Edit the allow list (one address or CIDR per line) and save. It takes effect within 30 seconds.",
        f"At a terminal run `chekt-mcp app adopt {app} --replace --allow-list FILE`, so that checks here stay true.",
    ]
