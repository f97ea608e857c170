"""OAuth 2.0 access tokens of one configured issuer: signed ones by its keys (RFC 9068), others by asking it (RFC 7662).

The principal is `oauth:<issuer>#<subject>`, whatever client and token it comes with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chekt_mcp.auth.granted import GrantedToken, of_token
from chekt_mcp.auth.introspection import Introspection
from chekt_mcp.auth.key_set import KeySet
from chekt_mcp.auth.narrowed_grant import Asked, narrowed, read_names, read_scopes
from chekt_mcp.auth.signed_token import SignedToken
from chekt_mcp.auth.signing_keys import signed_by
from chekt_mcp.auth.token_claims import Checked, Expected, check_claims, read_subject
from chekt_mcp.auth.token_problem import Fault
from chekt_mcp.domain.app import NAME_PATTERN
from chekt_mcp.domain.scope import CredentialKind, Grant
from chekt_mcp.storage.interface import Storage

LONGEST_LIFE = timedelta(hours=24)
"""CHeKT rotates access tokens every 24 hours: one that claims to live longer is not one of them."""
OAUTH: CredentialKind = "oauth"


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authorization server, and how its tokens are read.

    Attributes:
        issuer: exactly as its tokens have it in `iss`.
        algorithms: those its signatures may have.
        types: the values of `typ` that are taken, in lower case; `jwt` also stands for none.
        dealer_claim: the claim that names the dealer; `apps_claim` the apps, `approver_claim` those who approve.
        dealer: who is meant where a token names no dealer; None: such a token is refused. `apps` likewise.
    """

    issuer: str
    algorithms: frozenset[str] = frozenset({"RS256"})
    types: frozenset[str] = frozenset({"at+jwt"})
    dealer_claim: str = "chekt_dealer"
    apps_claim: str = "chekt_apps"
    approver_claim: str = "chekt_approver"
    dealer: str | None = None
    apps: tuple[str, ...] = ()

    def takes_type(self, typ: str) -> bool:
        """Tell whether tokens of this type are taken (RFC 9068, 2.1; RFC 8725, 3.11)."""
        return (typ or "jwt") in self.types

    def dealer_of(self, claims: Mapping[str, object]) -> str | Fault:
        """Return the dealer a token is for."""
        named = claims.get(self.dealer_claim, self.dealer)
        return named if isinstance(named, str) and NAME_PATTERN.fullmatch(named) else Fault.NO_DEALER

    def apps_of(self, claims: Mapping[str, object]) -> tuple[str, ...]:
        """Return the apps a token is for."""
        return read_names(claims[self.apps_claim]) if self.apps_claim in claims else self.apps

    def principal(self, subject: str) -> str:
        """Return the principal of a subject, whatever token it comes with."""
        return f"oauth:{self.issuer}#{subject}"


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims that are proven: by a signature, or by the issuer's own word."""

    all: Mapping[str, object]
    checked: Checked


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Judges access tokens. Without `keys` signed tokens are asked about too; without `introspection` nothing is."""

    storage: Storage
    issuer: Issuer
    resource: str
    keys: KeySet | None = None
    introspection: Introspection | None = None

    async def judge(self, text: str, signed: SignedToken | None, now: datetime) -> GrantedToken | Fault:
        """Return what a token opens in our store; `signed` is the same token in parts, if it has any."""
        proven = await self.proven(text, signed, self.resource, now)
        return proven if isinstance(proven, Fault) else await self._granted(proven)

    async def proven(self, text: str, signed: SignedToken | None, resource: str, now: datetime) -> Claims | Fault:
        """Return the claims of a token for `resource`, if they hold."""
        expected = Expected(self.issuer.issuer, resource, LONGEST_LIFE)
        if signed is not None and self.keys is not None:
            return await self._by_signature(signed, self.keys, expected, now)
        if self.introspection is None:
            return Fault.OPAQUE
        said = await self.introspection.claims(text, expected, now)
        return said if isinstance(said, Fault) else Claims(*said)

    async def _by_signature(
        self, token: SignedToken, keys: KeySet, expected: Expected, now: datetime
    ) -> Claims | Fault:
        """Check algorithm, type, key, signature and claims, in this order: nothing is believed before it is signed."""
        if token.algorithm not in self.issuer.algorithms:
            return Fault.WRONG_ALGORITHM
        if not self.issuer.takes_type(token.typ):
            return Fault.WRONG_TYPE
        key = await keys.key(token.algorithm, token.key_id, now)
        if isinstance(key, Fault):
            return key
        checked = check_claims(token.claims, expected, now) if signed_by(token, key) else Fault.BAD_SIGNATURE
        return checked if isinstance(checked, Fault) else Claims(token.claims, checked)

    async def _granted(self, claims: Claims) -> GrantedToken | Fault:
        dealer, apps = self.issuer.dealer_of(claims.all), self.issuer.apps_of(claims.all)
        if isinstance(dealer, Fault):
            return dealer
        if not apps:
            return Fault.NO_APPS
        scopes = read_scopes(claims.all.get("scope"), claims.all.get("scp"))
        asked = Asked(OAUTH, self.issuer.principal(claims.checked.subject), dealer, apps, scopes)
        grant = await self.storage.read(lambda reader: narrowed(reader, asked))
        return self._carried(grant, claims) if isinstance(grant, Grant) else grant

    def _carried(self, grant: Grant, claims: Claims) -> GrantedToken:
        client = claims.all.get("client_id", claims.all.get("azp"))
        return of_token(
            grant,
            client_id=read_subject(client) or "",
            issuer=self.issuer.issuer,
            subject=claims.checked.subject,
            expires_at=claims.checked.expires_at,
            resource=self.resource,
        )
