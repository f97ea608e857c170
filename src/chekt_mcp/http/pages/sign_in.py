"""Signing in as an approver, and out: with the dealer's passphrase, at the issuer, or with a token for these pages.

What is wrong is never told: not the dealer, not the passphrase, nothing of a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from starlette.responses import RedirectResponse, Response

from chekt_mcp.auth.granted import Refused
from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.domain.token_bucket import Rate
from chekt_mcp.http.pages.guard import form_token, guarded
from chekt_mcp.http.pages.issuer_login import ByIssuer, IssuerLogin
from chekt_mcp.http.pages.render import message, page
from chekt_mcp.http.pages.visitor import FORM_REFUSED, Visitor
from chekt_mcp.http.pages.watch import Watch
from chekt_mcp.http.rates import client_key
from chekt_mcp.operations.approver import PassphraseCheck, Passphrases
from chekt_mcp.operations.approver_session import TOKEN_BYTES, close_session, open_session
from chekt_mcp.operations.services import Services

PRINCIPAL: Final = "approver:passphrase"
PER_CLIENT: Final = Rate(4, timedelta(minutes=15))
"""Attempts from one address: fewer than lock the passphrase for everybody, the terminal included."""

APPROVAL: Final = re.compile(r"apr_[A-Za-z0-9]{1,64}")
WRONG: Final = "That was not accepted. After several wrong attempts nothing is, for a quarter of an hour."


class SignIn:
    """The sign-in page."""

    def __init__(
        self, services: Services, passphrases: Passphrases, watch: Watch, issuer: ByIssuer | None = None
    ) -> None:
        self._services, self._passphrases, self._watch, self._issuer = services, passphrases, watch, issuer

    @property
    def _login(self) -> IssuerLogin | None:
        return self._issuer.login if self._issuer else None

    async def show(self, visitor: Visitor, status: int = 200, problem: str = "") -> Response:
        """Show the form. Its token belongs to a cookie of its own, so that nobody is signed in by another site."""
        dealers = await self._services.storage.read(lambda reader: reader.dealers())
        cookie = self._services.random(TOKEN_BYTES).hex()
        back = _back(visitor.request.query_params.get("to", ""), visitor.settings.base)
        values: dict[str, object] = {
            "base": visitor.settings.base,
            "form_token": form_token(cookie),
            "only_dealer": dealers[0].name if len(dealers) == 1 else "",
            "problem": problem,
            "by_token": self._issuer is not None and self._login is None,
            "issuer": self._login.issuer if self._login else "",
            "back": back,
            "go_on": (back or visitor.settings.base) if visitor.came_from_elsewhere else "",
        }
        shown = page("sign_in.html", values, status)
        return visitor.keep_form(shown, cookie)

    async def enter(self, visitor: Visitor) -> Response:
        """Judge what was typed, and open a session."""
        fields = await visitor.posted_to_sign_in()
        if fields is None:
            await self._watch.refusals.log(visitor.refused(FORM_REFUSED, "sign_in", self._services.clock()))
            return await self.show(visitor, 403, "This page was too old, or the form came from elsewhere. Try again.")
        if self._too_often(visitor):
            return await self.show(visitor, 429, WRONG)
        token = await (self._by_token(visitor, fields) if "token" in fields else self._by_passphrase(visitor, fields))
        if token is None:
            return await self.show(visitor, 403, WRONG)
        to = _back(fields.get("back", ""), visitor.settings.base) or visitor.settings.base
        return visitor.keep(guarded(RedirectResponse(to, 303)), token)

    async def begin_at_issuer(self, visitor: Visitor) -> Response:
        """Lead the browser to the issuer, with a cookie to know it by when it comes back."""
        if self._login is None:
            return guarded(RedirectResponse(f"{visitor.settings.base}/sign-in", 303))
        cookie = self._services.random(TOKEN_BYTES).hex()
        return visitor.keep_begun(self._login.send_there(cookie), cookie)

    async def end_at_issuer(self, visitor: Visitor) -> Response:
        """Take what the issuer sent back. The page it ends with leads on: see `issuer_login`."""
        login = self._login
        code = login.code_of(visitor.request, visitor.begun) if login else None
        if code and self._too_often(visitor):
            return await self.show(visitor, 429, WRONG)
        token = await login.token_for(code, visitor.begun) if login and code else None
        session = await self._by_token(visitor, {"token": token}) if token else None
        if session is None:
            return await self.show(visitor, 403, WRONG)
        return visitor.keep(message(200, "Signed in", "You can decide now.", visitor.settings.base), session)

    def _too_often(self, visitor: Visitor) -> bool:
        """Count an attempt that somebody is about to be asked about; True when the address has none left."""
        client = client_key(read_address(visitor.source_ip or ""))
        return self._watch.attempts.spend(f"sign-in {client}", PER_CLIENT, self._services.clock()).wait is not None

    async def leave(self, visitor: Visitor) -> Response:
        """End the session, in the store and in the browser."""
        if visitor.session is None or await visitor.posted() is None:
            return guarded(RedirectResponse(visitor.settings.base, 303))
        await close_session(self._services, visitor.operator(visitor.session.principal), visitor.session)
        left = message(200, "Signed out", "You can close this page.", visitor.settings.base)
        left.delete_cookie(visitor.settings.cookie, secure=visitor.settings.secure, httponly=True, samesite="strict")
        return left

    async def _by_passphrase(self, visitor: Visitor, fields: Mapping[str, str]) -> str | None:
        """Return the cookie of a new session when the passphrase is right."""
        dealer, operator = fields.get("dealer", ""), visitor.operator(PRINCIPAL)
        check = PassphraseCheck(self._services, self._passphrases, operator, dealer, None)
        return await open_session(self._services, operator, dealer) if await self._is_right(check, fields) else None

    async def _by_token(self, visitor: Visitor, fields: Mapping[str, str]) -> str | None:
        """Return the cookie of a new session for whom an access token names; it ends with the token."""
        if self._issuer is None:
            return None
        now = self._services.clock()
        found = await self._issuer.approver_of(fields["token"].strip(), now)
        if isinstance(found, Refused):
            await self._watch.refusals.log(visitor.refused("approver.token.refuse", found.problem.code, now))
            return None
        operator = visitor.operator(found.principal)
        return await open_session(self._services, operator, found.dealer, until=found.expires_at)

    async def _is_right(self, check: PassphraseCheck, fields: Mapping[str, str]) -> bool:
        """Judge an attempt; where the dealer has no passphrase, after like work."""
        typed = fields.get("passphrase", "")
        known = await self._services.storage.read(lambda reader: reader.approver(check.dealer))
        if known is None:
            await check.in_vain(typed)
            return False
        return (await check.attempt(typed)).right


def _back(path: str, base: str) -> str:
    """Return the approval's page to go on to after signing in; "" for anything else: nobody is sent elsewhere."""
    return path if path.startswith(f"{base}/") and APPROVAL.fullmatch(path.removeprefix(f"{base}/")) else ""
