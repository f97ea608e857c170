"""Assertions: tokens that a partner's service signs for itself with its own rotating keys (RFC 7523, 3; RFC 8725).

1. The issuer is a registered partner, read from the store at every call.
2. ES256, and a type that says nothing else.
3. Signature and claims, as for access tokens; 10 minutes of life at most.
4. What the partner, and its apps, may do.
5. The id (`jti`) is used up last, so that nobody without the partner's key can use one up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chekt_mcp.auth.granted import GrantedToken, of_token
from chekt_mcp.auth.key_set import KeySet
from chekt_mcp.auth.narrowed_grant import Asked, narrowed, read_scopes
from chekt_mcp.auth.signed_token import LONGEST_NAME, SignedToken
from chekt_mcp.auth.signing_keys import signed_by
from chekt_mcp.auth.token_claims import LEEWAY, Checked, Expected, check_claims
from chekt_mcp.auth.token_problem import Fault
from chekt_mcp.domain.partner import Partner, UsedAssertion
from chekt_mcp.domain.scope import CredentialKind, Grant
from chekt_mcp.storage.interface import Storage

LONGEST_LIFE = timedelta(minutes=10)
ALGORITHM = "ES256"
TYPES = frozenset({"", "jwt"})
ASSERTION: CredentialKind = "assertion"

FetchKeys = Callable[[str], Awaitable[bytes | None]]
"""Asks for the key set at a URL once, within seconds; None when there was no whole answer."""


@dataclass(slots=True)
class Assertions:
    """Judges assertions for one resource. `keys` is a cache: one key set for each partner and URL."""

    storage: Storage
    resource: str
    fetch: FetchKeys
    keys: dict[tuple[str, str], KeySet] = field(default_factory=dict)

    async def judge(self, token: SignedToken, now: datetime, *, use_up: bool = True) -> GrantedToken | Fault:
        """Take the module's steps; without `use_up` all but the last."""
        partner = await self._partner(token)
        if isinstance(partner, Fault):
            return partner
        checked = await self._proven(token, partner, now)
        if isinstance(checked, Fault):
            return checked
        grant = await self._grant(token, partner, checked)
        if isinstance(grant, Fault):
            return grant
        fault = await self._use_up(token, partner, checked, now) if use_up else _no_id(token)
        return fault or _carried(grant, partner, checked, self.resource)

    async def _partner(self, token: SignedToken) -> Partner | Fault:
        issuer = token.claims.get("iss")
        if not isinstance(issuer, str):
            return Fault.UNKNOWN_ISSUER
        return await self.storage.read(lambda reader: reader.partner_by_issuer(issuer)) or Fault.UNKNOWN_ISSUER

    async def _proven(self, token: SignedToken, partner: Partner, now: datetime) -> Checked | Fault:
        if token.algorithm != ALGORITHM:
            return Fault.WRONG_ALGORITHM
        if token.typ not in TYPES:
            return Fault.WRONG_TYPE
        key = await self._keys_of(partner).key(ALGORITHM, token.key_id, now)
        if isinstance(key, Fault):
            return key
        if not signed_by(token, key):
            return Fault.BAD_SIGNATURE
        return check_claims(token.claims, Expected(partner.issuer, self.resource, LONGEST_LIFE), now)

    def _keys_of(self, partner: Partner) -> KeySet:
        """Return the partner's keys; registered anew with another URL it begins with none."""
        place = (partner.issuer, partner.jwks)
        if place not in self.keys:
            self.keys = {other: keys for other, keys in self.keys.items() if other[0] != partner.issuer}
            self.keys[place] = KeySet(lambda: self.fetch(partner.jwks))
        return self.keys[place]

    async def _grant(self, token: SignedToken, partner: Partner, checked: Checked) -> Grant | Fault:
        claims, principal = token.claims, partner.principal(checked.subject)
        scopes = read_scopes(claims.get("scope"), claims.get("scp")) & partner.scopes
        asked = Asked(ASSERTION, principal, partner.dealer, partner.apps, scopes)
        return await self.storage.read(lambda reader: narrowed(reader, asked))

    async def _use_up(self, token: SignedToken, partner: Partner, checked: Checked, now: datetime) -> Fault | None:
        """Use the id up, for every worker and process, and remember it as long as the assertion could be taken."""
        if fault := _no_id(token):
            return fault
        digest = hashlib.sha256(str(token.claims["jti"]).encode("utf-8", "surrogatepass")).digest()
        used = UsedAssertion(partner.issuer, digest, now, checked.expires_at + LEEWAY)
        return None if await self.storage.write(lambda writer: writer.use_assertion(used)) else Fault.USED


def _no_id(token: SignedToken) -> Fault | None:
    value = token.claims.get("jti")
    return None if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else Fault.NO_TOKEN_ID


def _carried(grant: Grant, partner: Partner, checked: Checked, resource: str) -> GrantedToken:
    return of_token(
        grant,
        client_id=f"partner:{partner.name}",
        issuer=partner.issuer,
        subject=checked.subject,
        expires_at=checked.expires_at,
        resource=resource,
    )
