"""Signing in as an approver with an access token that the issuer gave for the approval pages, and for nothing else.

The token's audience is the pages, not the MCP endpoint: a token that an assistant holds signs nobody in. Its subject
has the claim that names approvers, as `true`. Whoever asked for a change is the same subject with any token, so the
rule that nobody approves their own request holds for whatever client was used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chekt_mcp.auth.access_token import AccessTokens
from chekt_mcp.auth.granted import Refused
from chekt_mcp.auth.signed_token import looks_signed, read_signed_token
from chekt_mcp.auth.token_problem import PASSING, Fault, problem_of


@dataclass(frozen=True, slots=True)
class ApproverToken:
    """A person who may approve for one dealer, as `approvals.Decider` takes the principal, until the token ends."""

    dealer: str
    principal: str
    expires_at: datetime


async def approver_of(tokens: AccessTokens, text: str, pages: str, now: datetime) -> ApproverToken | Refused:
    """Return the approver that a token signs in at the approval pages (their URL is the audience), or why none.

    Raises:
        StateUnusable: the store cannot be asked now.
    """
    found = await _approver(tokens, text, pages, now)
    return found if isinstance(found, ApproverToken) else Refused(problem_of(found), temporary=found in PASSING)


async def _approver(tokens: AccessTokens, text: str, pages: str, now: datetime) -> ApproverToken | Fault:
    signed = read_signed_token(text) if looks_signed(text) else None
    if isinstance(signed, Fault):
        return signed
    proven = await tokens.proven(text, signed, pages, now)
    if isinstance(proven, Fault):
        return proven
    issuer, checked = tokens.issuer, proven.checked
    dealer = issuer.dealer_of(proven.all)
    if isinstance(dealer, Fault):
        return dealer
    if proven.all.get(issuer.approver_claim) is not True:
        return Fault.NOT_AN_APPROVER
    known = await tokens.storage.read(lambda reader: reader.apps(dealer))
    return ApproverToken(dealer, issuer.principal(checked.subject), checked.expires_at) if known else Fault.NO_DEALER
