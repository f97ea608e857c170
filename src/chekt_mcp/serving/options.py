"""What `serve --http` was asked for, and why some of it is refused: plain HTTP stays on this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chekt_mcp.domain.allow_list.address import ParsedAddress, read_address
from chekt_mcp.domain.allow_list.behind_proxies import ForwardingHeader, client_address
from chekt_mcp.domain.allow_list.network import read_entry
from chekt_mcp.errors import InvalidInput
from chekt_mcp.http.client_of import ClientOf
from chekt_mcp.http.request_head import OwnNames
from chekt_mcp.serving.receiving import Receiving

LARGEST_PORT = 65_535
LOOPBACK_IPV4 = 127
PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
TAKEN = frozenset({"approvals", "healthz", "metrics", "readyz", "webhooks"})
"""First names of other paths: tokens for the approval pages and for the endpoint must differ in their audience."""
AUTHORITY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?", re.ASCII)
"""A host as a browser sends it, and a port: no user, no letter beyond ASCII, no dot at the end."""
WIDEST_PROXIES = {4: 8, 6: 16}
"""Bits of a network of proxies, at least: what is wider is no network of one's own."""
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate chain and its private key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Where and how to serve; made by `checked`.

    Attributes:
        address: where to listen.
        public_url: the endpoint as clients name it; None where it follows from the address.
        tls: what to serve https with.
        redirect_port: a port that only sends browsers on to https.
        proxies: our own proxies; when there are any, nobody else may connect.
        header: the one header by which they name the client.
    """

    address: ParsedAddress
    port: int
    path: str = "/mcp"
    public_url: str | None = None
    tls: Tls | None = None
    redirect_port: int | None = None
    proxies: tuple[str, ...] = ()
    header: ForwardingHeader = "X-Forwarded-For"
    workers: int = 1
    challenge: bool = True
    metrics: bool = False
    body_seconds: float = 10
    """How long the body of a request may take."""
    receive: Receiving | None = None
    """Whose webhooks are received as well."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        four = self.address.version == 4  # noqa: PLR2004 -- the version of the protocol
        return self.address.number >> 24 == LOOPBACK_IPV4 if four else self.address.number == 1

    @property
    def https(self) -> bool:
        """Whether clients speak https, to us or to our proxy."""
        return self.tls is not None or bool(self.public_url and self.public_url.startswith("https://"))

    def resource(self, port: int) -> str:
        """Return the endpoint's URL, listening on `port`."""
        if self.public_url:
            return self.public_url
        host = self.address.text if self.address.version == 4 else f"[{self.address.text}]"  # noqa: PLR2004 -- as above
        return f"{'https' if self.tls else 'http'}://{host}:{port}{self.path}"

    @property
    def client_of(self) -> ClientOf:
        """How a request's client address is told."""
        return ClientOf(self.proxies, self.header if self.proxies else None)

    def own_names(self, port: int) -> OwnNames:
        """Return what Host and Origin may say: the public name, and on this machine its three own names."""
        parts = urlsplit(self.resource(port))
        named = {parts.netloc.lower()}
        if parts.port == DEFAULT_PORTS[parts.scheme]:
            named.add(parts.netloc.lower().rpartition(":")[0])
        if parts.port is None:
            named.add(f"{parts.netloc.lower()}:{DEFAULT_PORTS[parts.scheme]}")
        if self.loopback:
            named |= {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        origins = {f"{parts.scheme}://{host}" for host in named}
        return OwnNames(frozenset(map(str.encode, named)), frozenset(map(str.encode, origins)))


def checked(options: HttpOptions) -> HttpOptions:
    """Return `options` when they are safe to serve with.

    Raises:
        InvalidInput: codes `tls_required`, `public_url_required`, `bad_public_url`, `bad_path`, `out_of_range`,
            `bad_trusted_proxy`, `proxies_too_wide`.
    """
    _check_ranges(options)
    _check_proxies(options.proxies)
    if not (options.loopback or options.tls or options.proxies):
        raise InvalidInput(
            "Serving to other machines needs TLS: a key in clear on the network is everybody's key.",
            field="host",
            code="tls_required",
            fix="Give --tls-cert and --tls-key, or --behind-proxy with the networks of the proxy that ends TLS.",
        )
    _check_public_url(options)
    return options


def listening_address(host: str) -> ParsedAddress:
    """Read the address to listen on.

    Raises:
        InvalidInput: code `bad_host`.
    """
    address = read_address("127.0.0.1" if host == "localhost" else host)
    if address is None:
        raise InvalidInput(
            "The address to listen on is an IP address.", field="host", code="bad_host", fix="Give one like 127.0.0.1."
        )
    return address


def proxies_of(text: str | None) -> tuple[str, ...]:
    """Read trusted networks separated by commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _check_ranges(options: HttpOptions) -> None:
    ports: Sequence[int] = [options.port, *([options.redirect_port] if options.redirect_port is not None else [])]
    if not all(0 <= port <= LARGEST_PORT for port in ports):
        raise InvalidInput(f"A port is a number from 0 to {LARGEST_PORT}.", field="port", code="out_of_range")
    if not 1 <= options.workers <= 64:  # noqa: PLR2004 -- the limit is told in the sentence
        raise InvalidInput("There are 1 to 64 workers.", field="workers", code="out_of_range")
    if not PATH.fullmatch(options.path) or options.path.split("/")[1] in TAKEN:
        raise InvalidInput(
            "The path is made of names of plain letters, digits and -._~, each after a /, and the first is not taken "
            f"by something else: {', '.join(sorted(TAKEN))}.",
            field="path",
            code="bad_path",
            fix="Give one like /mcp.",
        )
    if options.redirect_port is not None and options.tls is None:
        raise InvalidInput("Only beside TLS is there anything to redirect to.", field="redirect-port", code="no_tls")


def _check_proxies(proxies: Sequence[str]) -> None:
    client_address("127.0.0.1", proxies, None, ())  # refuses what is no address or network
    if any(one.prefix < WIDEST_PROXIES[one.version] for one in map(read_entry, proxies) if one):
        raise InvalidInput(
            "Nearly everybody would count as a proxy: could send keys in clear, and say where they come from.",
            field="behind-proxy",
            code="proxies_too_wide",
            fix="Name the addresses of your proxies, or their networks: an IPv4 /8 and an IPv6 /16 at the most.",
        )


def _check_public_url(options: HttpOptions) -> None:
    if options.public_url is None:
        if options.loopback and not options.proxies:
            return
        raise InvalidInput(
            "Clients reach this server by a name it cannot know.",
            field="public-url",
            code="public_url_required",
            fix=f"Give --public-url, like https://mcp.example.com{options.path}.",
        )
    try:
        parts = urlsplit(options.public_url)
        fits = parts.port != 0 and AUTHORITY.fullmatch(parts.netloc) is not None
    except ValueError:
        fits = False
    schemes = ("http", "https") if options.loopback and not (options.proxies or options.tls) else ("https",)
    if not (fits and parts.scheme in schemes and parts.path == options.path and not (parts.query or parts.fragment)):
        raise InvalidInput(
            f"The public URL is https, a plain host name, and the path {options.path}.",
            field="public-url",
            code="bad_public_url",
            fix=f"Write it like https://mcp.example.com{options.path}.",
        )
