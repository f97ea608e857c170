"""`chekt-mcp serve`: the MCP server, for a client to start, or over HTTP for many."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from chekt_mcp.cli.arguments import DONE, Parser
from chekt_mcp.cli.command import Command
from chekt_mcp.errors import InvalidInput

if TYPE_CHECKING:
    from chekt_mcp.serving.options import HttpOptions, Tls

DEFAULT_PORT = 8787


def configure(parser: Parser) -> None:
    """Describe the arguments: all of them are about HTTP."""
    http = parser.add_argument_group("over HTTP")
    http.add_argument("--http", action="store_true", help="serve MCP over HTTP instead of standard input and output")
    http.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    http.add_argument(
        "--port", metavar="N", type=int, default=DEFAULT_PORT, help=f"0 takes a free one (default: {DEFAULT_PORT})"
    )
    http.add_argument("--path", metavar="PATH", default="/mcp", help="path of the MCP endpoint (default: /mcp)")
    http.add_argument("--public-url", metavar="URL", help="the endpoint as clients reach it, with its path")
    http.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM); TLS 1.2 and later")
    http.add_argument("--tls-key", metavar="FILE", help="its private key (PEM, no passphrase)")
    http.add_argument("--redirect-port", metavar="N", type=int, help="plain http port that only sends on to https")
    http.add_argument(
        "--behind-proxy", metavar="LIST", help="addresses and networks of your proxies, by commas; nobody else connects"
    )
    http.add_argument(
        "--forwarding-header",
        choices=["X-Forwarded-For", "Forwarded"],
        default="X-Forwarded-For",
        help="the one header by which they name the client (default: X-Forwarded-For)",
    )
    http.add_argument("--workers", metavar="N", type=int, default=1, help="processes that serve (default: 1)")
    http.add_argument(
        "--scope-refusals",
        choices=["challenge", "in-band"],
        default="challenge",
        help="how OAuth callers learn of a missing scope: 403 with a challenge, or an answer of the tool",
    )
    http.add_argument("--metrics", action="store_true", help="serve Prometheus metrics at /metrics")


def run(command: Command) -> int:
    """Serve until the client goes away, or over HTTP until a signal ends it."""
    if command.args.http:
        return _serve_http(command)
    from chekt_mcp import stdio  # noqa: PLC0415 -- brings the SDK, which nothing else here needs

    try:
        settings = command.settings()
    except InvalidInput as error:
        stdio.serve_problem(error)
    else:
        stdio.serve_stdio(settings)
    return DONE


def _serve_http(command: Command) -> int:
    from chekt_mcp.serving.run import serve_http  # noqa: PLC0415 -- brings the HTTP server

    return serve_http(command.settings(), _options(command.args), command.terminal.note)


def _options(args: argparse.Namespace) -> HttpOptions:
    from chekt_mcp.serving.options import (  # noqa: PLC0415 -- only HTTP needs it
        HttpOptions,
        checked,
        listening_address,
        proxies_of,
    )

    return checked(
        HttpOptions(
            address=listening_address(args.host),
            port=args.port,
            path=args.path,
            public_url=args.public_url,
            tls=_tls(args),
            redirect_port=args.redirect_port,
            proxies=proxies_of(args.behind_proxy),
            header=args.forwarding_header,
            workers=args.workers,
            challenge=args.scope_refusals == "challenge",
            metrics=args.metrics,
        )
    )


def _tls(args: argparse.Namespace) -> Tls | None:
    from chekt_mcp.serving.options import Tls  # noqa: PLC0415 -- as above

    if args.tls_cert is None and args.tls_key is None:
        return None
    if args.tls_cert is None or args.tls_key is None:
        raise InvalidInput("A certificate and its key go together.", field="tls-cert", code="tls_incomplete")
    return Tls(Path(args.tls_cert), Path(args.tls_key))
