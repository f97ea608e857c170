"""Where a test delivery may go: to https on the internet, as CHeKT's own do, or to a receiver on this very machine."""

from __future__ import annotations

from chekt_mcp.domain.endpoint.finding import Code
from chekt_mcp.domain.endpoint.url import HTTPS_PORT, PRIVILEGED, EndpointUrl, read_url, url_findings
from chekt_mcp.errors import InvalidInput

HTTP_PORT = 80
_HERE = "For a receiver on this machine add --local."


def public_destination(text: str) -> EndpointUrl:
    """Read the URL of a receiver on the internet; whether its addresses are public is the sender's to find out.

    Raises:
        InvalidInput: code `bad_url`, or that of the first reason against it (see `url_findings`).
    """
    url = read_url(text)
    for finding in url_findings(url):
        fix = f"{finding.fix} {_HERE}" if finding.code in {Code.NOT_HTTPS, Code.LOCAL_NAME} else finding.fix
        raise InvalidInput(finding.message, field="url", code=finding.code.value, fix=fix)
    return url


def local_destination(text: str) -> EndpointUrl:
    """Read the URL of a receiver on this machine; whether its host is this machine is the sender's to find out.

    Raises:
        InvalidInput: code `bad_url`, `credentials_in_url` or `port_not_looked_at`.
    """
    url = read_url(text)
    if url.scheme not in {"http", "https"}:
        raise InvalidInput("A delivery goes to an http or https URL.", field="url", code="bad_url")
    if url.has_credentials:
        raise InvalidInput(
            "The URL holds a user name or password: it would stand in logs.",
            field="url",
            code=Code.CREDENTIALS_IN_URL.value,
            fix="Remove it: CHeKT brings none either.",
        )
    if url.port < PRIVILEGED and url.port not in {HTTP_PORT, HTTPS_PORT}:
        raise InvalidInput(
            f"Port {url.port} belongs to another service.",
            field="url",
            code=Code.PORT_NOT_LOOKED_AT.value,
            fix=f"Use port {HTTP_PORT} or {HTTPS_PORT}, or one from {PRIVILEGED}.",
        )
    return url
