"""The verifier of bearer credentials, put together from settings: API keys always, tokens of those who are named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from chekt_mcp.auth.access_token import AccessTokens, Issuer
from chekt_mcp.auth.assertion import Assertions
from chekt_mcp.auth.bearer import BearerTokens
from chekt_mcp.auth.introspection import Introspection
from chekt_mcp.auth.key_set import KeySet
from chekt_mcp.config import Settings
from chekt_mcp.errors import InvalidInput
from chekt_mcp.http.pages.issuer_login import IssuerLogin
from chekt_mcp.network.issuer_requests import ClientCredentials, IssuerHosts, IssuerRequests, check_issuer_url
from chekt_mcp.oauth_setting import AUTHORIZE, INTROSPECTION, JWKS, TOKEN, IntrospectionSetting, OAuthSetting
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.file import read_key_file
from chekt_mcp.setting_values import bad_setting


def bearer_tokens(services: Services, settings: Settings, resource: str) -> BearerTokens:
    """Return the verifier for the resource at this URL. Nobody is asked anything yet.

    Raises:
        InvalidInput: code `bad_setting`, for a URL that must not be asked; `key_file_…`, for the client secret.
    """
    access = settings.issuers
    requests = IssuerRequests(IssuerHosts(access.hosts), access.ca_file)
    assertions = Assertions(services.storage, resource, requests.key_set)
    tokens = None if settings.oauth is None else _access_tokens(services, settings, settings.oauth, requests, resource)
    return BearerTokens(services.storage, services.clock, tokens, assertions)


def _access_tokens(
    services: Services, settings: Settings, oauth: OAuthSetting, requests: IssuerRequests, resource: str
) -> AccessTokens:
    hosts = IssuerHosts(settings.issuers.hosts)
    issuer = Issuer(
        issuer=oauth.issuer,
        algorithms=oauth.algorithms,
        types=oauth.types,
        dealer_claim=oauth.dealer_claim,
        apps_claim=oauth.apps_claim,
        approver_claim=oauth.approver_claim,
        dealer=oauth.dealer,
        apps=oauth.apps,
    )
    jwks_url = oauth.jwks_url
    keys = KeySet(partial(requests.key_set, _checked(JWKS, jwks_url, hosts))) if jwks_url else None
    asking = _asking(requests, oauth.introspection, hosts) if oauth.introspection else None
    introspection = Introspection(asking, services.clock()) if asking else None
    return AccessTokens(services.storage, issuer, resource, keys, introspection)


def issuer_login(settings: Settings, pages: str) -> IssuerLogin | None:
    """Return where approvers sign in with a browser, for the pages at this URL; None where that is not set.

    Raises:
        InvalidInput: code `bad_setting`, for a URL that must not be asked.
    """
    oauth, hosts = settings.oauth, IssuerHosts(settings.issuers.hosts)
    if oauth is None or oauth.login is None:
        return None
    place = _checked(TOKEN, oauth.login.token_url, hosts)
    redeem = partial(IssuerRequests(hosts, settings.issuers.ca_file).redeem, place)
    authorize_url = _checked(AUTHORIZE, oauth.login.authorize_url, hosts)
    return IssuerLogin(oauth.issuer, authorize_url, oauth.login.client_id, pages, redeem)


def _asking(
    requests: IssuerRequests, setting: IntrospectionSetting, hosts: IssuerHosts
) -> Callable[[str], Awaitable[bytes | None]]:
    secret = read_key_file(setting.secret_file) if setting.secret_file else setting.secret or ""
    credentials = ClientCredentials(setting.client_id, secret)
    return partial(requests.introspect, _checked(INTROSPECTION, setting.url, hosts), credentials)


def _checked(name: str, url: str, hosts: IssuerHosts) -> str:
    try:
        check_issuer_url(url, hosts)
    except InvalidInput as error:
        raise bad_setting(name, f"is not usable: {error.message.rstrip('.')}") from None
    return url
