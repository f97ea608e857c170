"""`chekt-mcp serve`: the MCP server, for a client to start, or over HTTP for many."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chekt_mcp.cli.arguments import DONE, Parser, add_event_target
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.domain.app import check_name
from chekt_mcp.errors import InvalidInput

if TYPE_CHECKING:
    from chekt_mcp.serving.options import HttpOptions, Tls
    from chekt_mcp.serving.receiving import Receiving

DEFAULT_PORT = 8787
AT_A_TERMINAL = (
    "A client starts this and speaks MCP with it on standard input and output: there is nothing to type here. "
    "`chekt-mcp app show NAME` prints what a client is configured with, `serve --http` serves many. Ctrl-C ends it."
)


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
    http.add_argument("--receive", metavar="APP", help="also receive this app's webhooks, at /webhooks/APP")
    add_event_target(parser, required=False)
    http.add_argument("--metrics", action="store_true", help="serve Prometheus metrics at /metrics")


def run(command: Command) -> int:
    """Serve until the client goes away, or over HTTP until a signal ends it."""
    if command.args.http:
        return _serve_http(command)
    from chekt_mcp import stdio  # noqa: PLC0415 -- brings the SDK, which nothing else here needs

    if command.terminal.interactive:  # a person who tries it would wait for a prompt
        command.terminal.note(AT_A_TERMINAL)
    try:
        settings = command.settings()
    except InvalidInput as error:
        stdio.serve_problem(error)
    else:
        stdio.serve_stdio(settings)
    return DONE


def _serve_http(command: Command) -> int:
    from chekt_mcp.serving.run import serve_http  # noqa: PLC0415 -- brings the HTTP server

    options = replace(_options(command.args), receive=_receive(command))
    return serve_http(command.settings(), options, command.terminal.note)


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


def _receive(command: Command) -> Receiving | None:
    from chekt_mcp.cli.webhook_receive import target_of  # noqa: PLC0415 -- as above
    from chekt_mcp.serving.receiving import Receiving  # noqa: PLC0415 -- as above

    args = command.args
    targets = args.to_command is not None or args.to_url is not None
    if args.receive is None and not targets:
        return None
    if args.receive is None or not targets:
        raise InvalidInput(
            "To receive webhooks, name the app and where its events go.",
            field="receive",
            code="receive_incomplete",
            fix="Give --receive APP with --to-command or --to-url.",
        )
    target_of(args)  # refused here, not by each process
    name = check_name(args.receive)
    dealer = carry_out(_begin_receiving(command, name))
    return Receiving(dealer, name, lambda: target_of(args))


async def _begin_receiving(command: Command, app: str) -> str:
    from chekt_mcp.cli.webhook_receive import check_app, log_receiving  # noqa: PLC0415 -- as above

    async with opened(command) as session:
        dealer = await session.dealer()
        await check_app(session, dealer, app)
        await log_receiving(session, dealer, app)
        return dealer


def _tls(args: argparse.Namespace) -> Tls | None:
    from chekt_mcp.serving.options import Tls  # noqa: PLC0415 -- as above

    if args.tls_cert is None and args.tls_key is None:
        return None
    if args.tls_cert is None or args.tls_key is None:
        raise InvalidInput("A certificate and its key go together.", field="tls-cert", code="tls_incomplete")
    return Tls(Path(args.tls_cert), Path(args.tls_key))
