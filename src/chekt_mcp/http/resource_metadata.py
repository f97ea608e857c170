"""What this server is as an OAuth 2.0 protected resource (RFC 9728), and where that is told."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from chekt_mcp.domain.scope import SERVER_SCOPES

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata_url(resource: str) -> str:
    """Return where the metadata of `resource` stands: the well-known part comes before its path (RFC 9728, 3.1)."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"


def metadata(resource: str, authorization_servers: Sequence[str]) -> dict[str, object]:
    """Return the document. Without authorization servers, only API keys are taken."""
    document: dict[str, object] = {
        "resource": resource,
        "bearer_methods_supported": ["header"],
        "scopes_supported": sorted(SERVER_SCOPES),
        "resource_name": "chekt-mcp",
    }
    return document | ({"authorization_servers": list(authorization_servers)} if authorization_servers else {})
