"""`chekt-mcp partner add`: let a partner's services sign for apps with keys of their own."""

from __future__ import annotations

from chekt_mcp.auth.signing_keys import read_keys
from chekt_mcp.cli.arguments import Parser, add_passphrase
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.domain.app import check_name
from chekt_mcp.domain.partner import Partner
from chekt_mcp.domain.scope import parse_scopes
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import InvalidInput
from chekt_mcp.network.issuer_requests import IssuerHosts, IssuerRequests, check_issuer_url
from chekt_mcp.operations.partners import Partners

ALGORITHM = "ES256"


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.add_argument("partner", metavar="NAME", help="name of the partner: a-z, 0-9 and -")
    parser.add_argument("--jwks", metavar="URL", required=True, help="https URL where it publishes its keys (ES256)")
    parser.add_argument("--issuer", metavar="TEXT", required=True, help="what its assertions have in `iss`")
    parser.add_argument(
        "--apps", metavar="LIST", required=True, help="apps it works for, by commas; the first one calls"
    )
    parser.add_argument("--scopes", metavar="LIST", required=True, help="what it may do at most, by commas")
    add_passphrase(parser)


def run(command: Command) -> int:
    """Register the partner and say what its services need to send."""
    carry_out(_add(command))
    return 0


async def _add(command: Command) -> None:
    args, name = command.args, check_name(command.args.partner, field="partner")
    apps = tuple(dict.fromkeys(check_name(one, field="apps") for one in args.apps.replace(",", " ").split()))
    if not apps:
        raise InvalidInput("Name at least one app.", field="apps", code="no_apps_named")
    scopes = parse_scopes(args.scopes)
    async with opened(command) as session:
        _check(session, args.jwks, args.issuer)
        dealer = await session.dealer()
        await authorise(session, dealer, apps[0])
        partner = Partner(dealer, name, args.issuer, args.jwks, apps, scopes, session.services.clock())
        await Partners(session.services, session.operator, dealer).add(partner)
        _report(session, partner)
        await _look(session, partner)


def _check(session: Session, jwks: str, issuer: str) -> None:
    """Refuse what could never work: a URL that is not asked, an issuer whose tokens are read otherwise."""
    check_issuer_url(jwks, IssuerHosts(session.settings.issuers.hosts))
    if session.settings.oauth is not None and session.settings.oauth.issuer == issuer:
        raise InvalidInput(
            "That is the issuer of access tokens (CHEKT_MCP_OAUTH_ISSUER); a partner signs as somebody else.",
            field="issuer",
            code="issuer_taken",
        )


def _report(session: Session, partner: Partner) -> None:
    say = session.terminal.say
    say(f"Partner {partner.name} may sign for {', '.join(partner.apps)} of dealer {partner.dealer}.")
    say(f"At most: {' '.join(sorted(partner.scopes))}, and never more than each of these apps holds.")
    say(
        "Its assertions: ES256; iss as given, aud this server's MCP URL, sub, jti new each time, iat, exp at most "
        "10 minutes later, scope."
    )


async def _look(session: Session, partner: Partner) -> None:
    access = session.settings.issuers
    document = await IssuerRequests(IssuerHosts(access.hosts), access.ca_file).key_set(partner.jwks)
    keys = None if document is None else read_keys(document)
    if keys is None:
        session.terminal.note("warning: its keys cannot be fetched now; until they can, its assertions are refused.")
        return
    usable = [key for key in keys if key.algorithm == ALGORITHM and key.public is not None]
    session.terminal.say(f"It publishes {counted(len(usable), 'usable key', 'usable keys')} now.")
