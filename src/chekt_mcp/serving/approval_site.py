"""The approval pages as this server has them: their address, and where their forms may come from."""

from __future__ import annotations

from urllib.parse import urlsplit

from chekt_mcp.http.asgi import App
from chekt_mcp.http.client_of import ClientOf
from chekt_mcp.http.pages.site import approval_pages
from chekt_mcp.http.pages.visitor import PageSettings
from chekt_mcp.http.shared_rates import SharedRates
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets import passphrase
from chekt_mcp.serving.options import HttpOptions

BASE = "/approvals"


def approvals_url(options: HttpOptions, port: int) -> str:
    """Return the address of the pages, as a browser reaches them."""
    endpoint = urlsplit(options.resource(port))
    return f"{endpoint.scheme}://{endpoint.netloc}{BASE}"


def approval_site(
    services: Services, options: HttpOptions, port: int, client_of: ClientOf, attempts: SharedRates
) -> App:
    """Put the pages together."""
    origins = frozenset(origin.decode() for origin in options.own_names(port).origins)
    return approval_pages(services, passphrase, PageSettings(BASE, origins, options.https, client_of), attempts)
