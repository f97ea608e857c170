"""The URL of an endpoint, read strictly (RFC 3986), and what is wrong with it before anything is contacted.

Two readers of one URL must not disagree about its host, so nothing is repaired: no blanks or backslashes, no
host in other than ASCII, no number but four decimal ones in place of an address (RFC 6943 section 3.1.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.domain.endpoint.finding import Code, Finding, critical
from chekt_mcp.errors import InvalidInput

LONGEST = 2048
HTTPS_PORT = 443
PRIVILEGED = 1024

_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,15})://"
    r"(?:(?P<userinfo>(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*)@)?"
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9.-]{1,254}))"
    r"(?::(?P<port>[0-9]{1,5})?)?"
    rf"(?P<path>/{_CHARACTER}*)?(?P<query>\?(?:{_CHARACTER}|\?)*)?",
    re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LOCAL = frozenset(("localhost", "local", "internal", "test", "example", "invalid", "onion", "alt", "arpa"))
"""Last labels that stand for nothing on the internet (RFC 6761, 6762, 7686, 8375, 9476; `internal` by ICANN)."""


@dataclass(frozen=True, slots=True)
class EndpointUrl:
    """A URL in parts.

    Attributes:
        scheme: lower case.
        host: a DNS name in lower case without a trailing dot, or an IP address without brackets.
        port: 1 to 65535.
        target: path and query as a request line has them.
        has_credentials: there was a user name or password; neither is kept.
    """

    scheme: str
    host: str
    port: int
    target: str
    has_credentials: bool = False

    @property
    def is_address(self) -> bool:
        """Tell whether the host is an IP address."""
        return read_address(self.host) is not None

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"


def read_url(text: str) -> EndpointUrl:
    """Read a URL.

    Raises:
        InvalidInput: code `bad_url`; the message tells which part.
    """
    found = _URL.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise _bad("That is not a URL that every program reads alike.")
    scheme = found["scheme"].lower()
    return EndpointUrl(
        scheme=scheme,
        host=_host(found["ipv6"], found["name"]),
        port=_port(found["port"], scheme),
        target=(found["path"] or "/") + (found["query"] or ""),
        has_credentials=found["userinfo"] is not None,
    )


def url_findings(url: EndpointUrl) -> Iterator[Finding]:
    """Yield every reason not to contact this URL at all."""
    if url.scheme != "https":
        yield critical(
            Code.NOT_HTTPS,
            "The URL is not https. CHeKT refuses to register such URLs, for test apps too.",
            "Serve the endpoint over TLS and register its https:// URL.",
        )
    if url.has_credentials:
        yield critical(
            Code.CREDENTIALS_IN_URL,
            "The URL holds a user name or password: it would stand in logs, and now stands in this conversation.",
            "Remove it and change it where it is used. A delivery is proven by its signature (verify_webhook).",
        )
    if url.port != HTTPS_PORT and url.port < PRIVILEGED and url.scheme == "https":
        yield critical(
            Code.PORT_NOT_LOOKED_AT,
            f"Port {url.port} belongs to another service, so it was not contacted.",
            f"Use port {HTTPS_PORT}, or one from {PRIVILEGED}.",
        )
    if not url.is_address and _is_local(url.host):
        yield critical(
            Code.LOCAL_NAME,
            "The host name means something on one machine or network only, so CHeKT cannot find it.",
            "Use a name in the public DNS.",
        )


def _is_local(name: str) -> bool:
    labels = name.split(".")
    return len(labels) == 1 or labels[-1] in _LOCAL


def _host(ipv6: str | None, name: str | None) -> str:
    if ipv6 is not None:
        if read_address(ipv6) is None or ":" not in ipv6:
            raise _bad("The host is not an IPv6 address.")
        return ipv6.lower()
    host = (name or "").lower().removesuffix(".")
    labels = host.split(".")
    if read_address(host) is None and not (all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])):
        raise _bad("The host is neither a DNS name nor an IP address.")
    return host


def _port(text: str | None, scheme: str) -> int:
    port = int(text) if text else {"http": 80}.get(scheme, HTTPS_PORT)
    if not 0 < port < 1 << 16:
        raise _bad("The port is not a number from 1 to 65535.")
    return port


def _bad(what: str) -> InvalidInput:
    return InvalidInput(
        what,
        field="url",
        code="bad_url",
        fix="Write it like https://hooks.example.com/chekt: ASCII only (xn-- for other scripts), everything else "
        "percent-encoded, no fragment.",
    )
