"""`chekt-mcp app http`: how an app's callers may call this server over HTTP."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.app import App, Authority, check_name
from chekt_mcp.domain.rate_tier import TIERS, RateTier
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.apps.app_settings import AppSettings


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("app", metavar="NAME", help="name of the app")
    tiers = "; ".join(f"{tier}: {rate.per_minute:,} a minute, {rate.at_once} at once" for tier, rate in TIERS.items())
    parser.add_argument("--rate", choices=[tier.value for tier in RateTier], help=tiers)
    parser.add_argument(
        "--own-key", choices=["yes", "no"], help="whether an app adopted from CHeKT may call with its own key"
    )
    add_passphrase(parser)


def run(command: Command) -> int:
    """Set it and say what holds now."""
    carry_out(_set(command))
    return 0


def over_http(app: App) -> str:
    """Say how an app's callers may call."""
    rate = TIERS[app.rate]
    often = f"{rate.per_minute:,} calls a minute, {rate.at_once} at once ({app.rate})"
    if app.authority is Authority.LOCAL:
        return often
    return often + ("; its own key opens this server" if app.own_key_over_http else "; its own key opens nothing here")


async def _set(command: Command) -> None:
    name, rate, own_key = check_name(command.args.app), command.args.rate, command.args.own_key
    if rate is None and own_key is None:
        raise InvalidInput("Say what to set: --rate, --own-key, or both.", code="nothing_to_set")
    async with opened(command) as session:
        dealer = await session.dealer()
        await authorise(session, dealer, name)
        settings = AppSettings(session.services, session.operator, dealer, name)
        tier, own = RateTier(rate) if rate else None, None if own_key is None else own_key == "yes"
        app = await settings.over_http(rate=tier, own_key=own)
        session.terminal.say(f"{app.name} over HTTP: {over_http(app)}.")
