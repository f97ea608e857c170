"""The approval pages as this server has them: their address, and where their forms may come from."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from chekt_mcp.auth.approver_token import ApproverToken
from chekt_mcp.auth.bearer import BearerVerifier
from chekt_mcp.auth.granted import Refused
from chekt_mcp.http.asgi import App
from chekt_mcp.http.client_of import ClientOf
from chekt_mcp.http.pages.issuer_login import ByIssuer, IssuerLogin
from chekt_mcp.http.pages.site import approval_pages
from chekt_mcp.http.pages.visitor import PageSettings
from chekt_mcp.http.pages.watch import Watch
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets import passphrase
from chekt_mcp.serving.options import HttpOptions

BASE = "/approvals"


def approvals_url(options: HttpOptions, port: int) -> str:
    """Return the address of the pages, as a browser reaches them."""
    endpoint = urlsplit(options.resource(port))
    return f"{endpoint.scheme}://{endpoint.netloc}{BASE}"


def page_settings(options: HttpOptions, port: int, client_of: ClientOf) -> PageSettings:
    """Return where the pages are."""
    origins = frozenset(origin.decode() for origin in options.own_names(port).origins)
    return PageSettings(BASE, origins, options.https, client_of, options.body_seconds)


def approval_site(
    services: Services,
    settings: PageSettings,
    watch: Watch,
    verifier: BearerVerifier,
    login: IssuerLogin | None,
) -> App:
    """Put the pages together; where an issuer is configured, its people sign in too."""

    async def approver_of(token: str, now: datetime) -> ApproverToken | Refused:
        return await verifier.approver(token, services.approvals_url or "", now)

    issuer = ByIssuer(approver_of, login) if verifier.issuers else None
    return approval_pages(services, passphrase, settings, watch, issuer)
