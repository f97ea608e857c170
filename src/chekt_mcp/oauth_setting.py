"""Settings for OAuth 2.0 access tokens: who issues them, and how they are read. See `config`'s table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from chekt_mcp.setting_values import bad_setting, read_path, read_words

ISSUER = "CHEKT_MCP_OAUTH_ISSUER"
JWKS = "CHEKT_MCP_OAUTH_JWKS_URL"
INTROSPECTION = "CHEKT_MCP_OAUTH_INTROSPECTION_URL"
AUTHORIZE = "CHEKT_MCP_OAUTH_AUTHORIZE_URL"
TOKEN = "CHEKT_MCP_OAUTH_TOKEN_URL"  # noqa: S105 -- the name of a setting
PAGES_CLIENT = "CHEKT_MCP_OAUTH_PAGES_CLIENT_ID"
ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
Hosts = Literal["public", "private", "loopback"]


@dataclass(frozen=True, slots=True)
class IntrospectionSetting:
    """Where the issuer is asked about tokens (RFC 7662), and what this server shows it."""

    url: str
    client_id: str
    secret_file: Path | None
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginSetting:
    """Where approvers sign in with a browser, and the approval pages' own name there (a public client)."""

    authorize_url: str
    token_url: str
    client_id: str


@dataclass(frozen=True, slots=True)
class OAuthSetting:
    """One authorization server. `jwks_url` or `introspection` is set, or both."""

    issuer: str
    jwks_url: str | None
    introspection: IntrospectionSetting | None
    algorithms: frozenset[str]
    types: frozenset[str]
    dealer_claim: str
    apps_claim: str
    approver_claim: str
    dealer: str | None
    apps: tuple[str, ...]
    login: LoginSetting | None


@dataclass(frozen=True, slots=True)
class IssuerAccess:
    """Where issuers and partners may be, and whose certificates they may have besides those that browsers trust."""

    hosts: Hosts = "public"
    ca_file: Path | None = None


def read_issuer_access(environ: Mapping[str, str]) -> IssuerAccess:
    """Read where issuers may be.

    Raises:
        InvalidInput: code `bad_setting`.
    """
    given, ca_file = environ.get("CHEKT_MCP_ISSUER_HOSTS") or "public", environ.get("CHEKT_MCP_ISSUER_CA_FILE")
    hosts: Hosts | None = next((one for one in get_args(Hosts) if one == given), None)
    if hosts is None:
        raise bad_setting("CHEKT_MCP_ISSUER_HOSTS", f"must be one of {', '.join(get_args(Hosts))}")
    return IssuerAccess(hosts, read_path("CHEKT_MCP_ISSUER_CA_FILE", ca_file) if ca_file else None)


def read_oauth(environ: Mapping[str, str]) -> OAuthSetting | None:
    """Read the settings of the issuer; None where none is set.

    Raises:
        InvalidInput: code `bad_setting`, naming a variable that is set and that is to be corrected.
    """
    issuer, jwks_url = environ.get(ISSUER), environ.get(JWKS) or None
    if not issuer:
        _refuse_alone(environ)
        return None
    introspection = _introspection(environ)
    if jwks_url is None and introspection is None:
        raise bad_setting(ISSUER, f"needs {JWKS} beside it, or {INTROSPECTION}")
    return OAuthSetting(
        issuer=issuer,
        jwks_url=jwks_url,
        introspection=introspection,
        algorithms=_algorithms(environ),
        types=frozenset(
            one.lower().removeprefix("application/") for one in read_words(environ, "CHEKT_MCP_OAUTH_TYPES", "at+jwt")
        ),
        dealer_claim=environ.get("CHEKT_MCP_OAUTH_DEALER_CLAIM") or "chekt_dealer",
        apps_claim=environ.get("CHEKT_MCP_OAUTH_APPS_CLAIM") or "chekt_apps",
        approver_claim=environ.get("CHEKT_MCP_OAUTH_APPROVER_CLAIM") or "chekt_approver",
        dealer=environ.get("CHEKT_MCP_OAUTH_DEALER") or None,
        apps=read_words(environ, "CHEKT_MCP_OAUTH_APPS"),
        login=_login(environ),
    )


def _refuse_alone(environ: Mapping[str, str]) -> None:
    for name in (JWKS, INTROSPECTION, AUTHORIZE, TOKEN, PAGES_CLIENT):
        if environ.get(name):
            raise bad_setting(name, f"needs {ISSUER} beside it")


def _algorithms(environ: Mapping[str, str]) -> frozenset[str]:
    chosen = frozenset(read_words(environ, "CHEKT_MCP_OAUTH_ALGORITHMS", "RS256"))
    if not chosen <= ALGORITHMS:
        raise bad_setting("CHEKT_MCP_OAUTH_ALGORITHMS", f"may name {', '.join(sorted(ALGORITHMS))} only")
    return chosen


def _login(environ: Mapping[str, str]) -> LoginSetting | None:
    authorize_url, token_url, client_id = (environ.get(name) for name in (AUTHORIZE, TOKEN, PAGES_CLIENT))
    if not (authorize_url or token_url or client_id):
        return None
    if not (authorize_url and token_url and client_id):
        raise bad_setting(PAGES_CLIENT, f"goes with {AUTHORIZE} and {TOKEN}: all three or none")
    return LoginSetting(authorize_url, token_url, client_id)


def _introspection(environ: Mapping[str, str]) -> IntrospectionSetting | None:
    url, client_id = environ.get(INTROSPECTION), environ.get("CHEKT_MCP_OAUTH_CLIENT_ID")
    if not url:
        return None
    file, secret = environ.get("CHEKT_MCP_OAUTH_CLIENT_SECRET_FILE"), environ.get("CHEKT_MCP_OAUTH_CLIENT_SECRET")
    if not client_id or not (file or secret):
        raise bad_setting(INTROSPECTION, "needs CHEKT_MCP_OAUTH_CLIENT_ID and a client secret beside it")
    place = read_path("CHEKT_MCP_OAUTH_CLIENT_SECRET_FILE", file) if file else None
    return IntrospectionSetting(url, client_id, place, secret or None)
