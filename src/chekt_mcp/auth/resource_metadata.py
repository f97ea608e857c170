"""What this server tells clients of itself as a protected resource (RFC 9728, 2), so that they find its issuer."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from chekt_mcp.domain.scope import SERVER_SCOPES

WELL_KNOWN = "/.well-known/oauth-protected-resource"


class ResourceMetadata(TypedDict):
    """The document. `authorization_servers` is left out where none is set: then API keys and assertions alone open."""

    resource: str
    authorization_servers: NotRequired[list[str]]
    scopes_supported: list[str]
    bearer_methods_supported: list[str]
    resource_name: str


def resource_metadata(resource: str, issuer: str | None) -> ResourceMetadata:
    """Return the document for the resource at this URL."""
    document: ResourceMetadata = {
        "resource": resource,
        "scopes_supported": [scope.value for scope in SERVER_SCOPES],
        "bearer_methods_supported": ["header"],
        "resource_name": "CHeKT security (chekt-mcp)",
    }
    if issuer is not None:
        document["authorization_servers"] = [issuer]
    return document


def metadata_url(resource: str) -> str:
    """Return where the document is: the well-known path between host and path of the resource (RFC 9728, 3.1)."""
    scheme, _, rest = resource.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{WELL_KNOWN}{slash if path else ''}{path}"
