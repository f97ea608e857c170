"""Tokens of a real authorization server, got through real grants by real clients, over real sockets in both eras."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import pytest
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from browser import chromium
from chekt_mcp.auth.approver_token import ApproverToken, approver_of
from chekt_mcp.auth.bearer import BearerTokens
from chekt_mcp.auth.granted import Refused
from chekt_mcp.config import from_environment
from chekt_mcp.domain.approval import Approval, Refusal
from chekt_mcp.http.pages.issuer_login import IssuerLogin
from chekt_mcp.operations.approvals import Decider, decide
from chekt_mcp.serving.credentials import bearer_tokens, issuer_login
from http_site import Served, call, serving
from vault_server import make_authority
from world import Era, Person, World, refusal, structured

PAGES = "https://mcp.example.com/approvals"
FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
CALLBACK = "http://127.0.0.1:1/callback"
INTROSPECTION = {
    "CHEKT_MCP_OAUTH_CLIENT_ID": "resource-server",
    "CHEKT_MCP_OAUTH_CLIENT_SECRET": "EXAMPLE-resource-server",
}


@dataclass(frozen=True)
class Issuer:
    """The running authorization server, and the authority of its certificate."""

    url: str
    authority: Path

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def post(self, path: str, client: str = "runbook", **data: str) -> httpx.Response:
        with httpx.Client(verify=self.trust, trust_env=False) as http:
            return http.post(f"{self.url}{path}", data=data, auth=(client, f"EXAMPLE-{client}"))

    def token(self, resource: str, client: str = "runbook", scope: str = "keys:read") -> str:
        """Get a token by the client credentials grant."""
        granted = self.post("/token", client, grant_type="client_credentials", scope=scope, resource=resource)
        return str(granted.json()["access_token"])

    def login(self, world: World, client: str) -> Callable[[str], IssuerLogin | None]:
        """Return what makes the browser's way to this issuer from the variables that an operator sets."""
        environ = {
            **self.environment(world),
            "CHEKT_MCP_OAUTH_AUTHORIZE_URL": f"{self.url}/authorize",
            "CHEKT_MCP_OAUTH_TOKEN_URL": f"{self.url}/token",
            "CHEKT_MCP_OAUTH_PAGES_CLIENT_ID": client,
        }
        return lambda pages: issuer_login(from_environment(environ), pages)

    def environment(self, world: World, **variables: str) -> dict[str, str]:
        return {
            "CHEKT_MCP_STATE": str(world.directory),
            "CHEKT_MCP_OAUTH_ISSUER": self.url,
            "CHEKT_MCP_OAUTH_JWKS_URL": f"{self.url}/jwks",
            "CHEKT_MCP_OAUTH_ALGORITHMS": "RS256,ES256",
            "CHEKT_MCP_ISSUER_HOSTS": "loopback",
            "CHEKT_MCP_ISSUER_CA_FILE": str(self.authority),
            **variables,
        }

    def verifier(self, world: World, **variables: str) -> Callable[[str], BearerTokens]:
        """Return what makes our verifier from the variables that an operator sets."""
        environ = self.environment(world, **variables)
        world.clock.now = datetime.now(UTC)  # the issuer's clock is the machine's
        return lambda resource: bearer_tokens(world.services(), from_environment(environ), resource)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path]]:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def issuer(authority: tuple[Path, tuple[Path, Path]]) -> Iterator[Issuer]:
    program = Path(__file__).parent.parent / "authorization_server.py"
    command = [sys.executable, str(program), *map(str, authority[1])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield Issuer(process.stdout.readline().strip(), authority[0])
        process.communicate(timeout=10)


class Kept:
    """Where an SDK client keeps its registration and tokens."""

    def __init__(self, client: OAuthClientInformationFull) -> None:
        self._client = client
        self._tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._client = client_info


class Browser:
    """Somebody who signs in at the issuer when the client sends them there."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer, self._landed = issuer, ""

    async def go(self, url: str) -> None:
        async with httpx.AsyncClient(verify=self._issuer.trust, trust_env=False) as http:
            self._landed = (await http.get(url)).headers["location"]

    async def come_back(self) -> AuthorizationCodeResult:
        found = parse_qs(urlsplit(self._landed).query)
        return AuthorizationCodeResult(code=found["code"][0], state=found["state"][0])


def with_a_person(issuer: Issuer, served: Served) -> OAuthClientProvider:
    """Return the SDK's authorization code flow with PKCE, of a registered public client."""
    metadata: dict[str, Any] = {
        "redirect_uris": [AnyUrl(CALLBACK)],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "scope": "keys:read",
    }
    known = OAuthClientInformationFull(client_id="assistant", issuer=issuer.url, **metadata)
    browser = Browser(issuer)
    return OAuthClientProvider(served.url, OAuthClientMetadata(**metadata), Kept(known), browser.go, browser.come_back)


def without_a_person(issuer: Issuer, served: Served) -> OAuthClientProvider:
    """Return the SDK's client credentials flow."""
    kept = Kept(OAuthClientInformationFull(client_id="runbook", redirect_uris=None))
    return ClientCredentialsOAuthProvider(
        served.url, kept, "runbook", "EXAMPLE-runbook", scope="keys:read", issuer=issuer.url
    )


@asynccontextmanager
async def http_of(issuer: Issuer, provider: OAuthClientProvider) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(auth=provider, verify=issuer.trust, timeout=30, trust_env=False) as http:
        yield http


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
ASKED_FOR = ["allowlist:read", "allowlist:write", "keys:read", "operators:read"]
"""What a client that was told of all our scopes asks for, and the issuer gives."""


@pytest.mark.parametrize(("flow", "subject"), [(with_a_person, "kim"), (without_a_person, "runbook")])
def test_a_client_finds_the_issuer_gets_a_token_and_is_known(
    world: World, issuer: Issuer, era: Era, flow: Callable[[Issuer, Served], OAuthClientProvider], subject: str
) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with (
            serving(world, issuer.verifier(world)) as served,
            http_of(issuer, flow(issuer, served)) as http,
            served.client_over(http, era) as client,
        ):
            known = structured(await client.call_tool("whoami", {}))
        assert (known["credential"], known["principal"]) == ("oauth", f"oauth:{issuer.url}#{subject}")
        assert ([app["app"] for app in known["apps"]], known["scopes"]) == (["shop"], ASKED_FOR)
        (entry,) = await world.entries(action="whoami")
        assert (entry.actor, entry.app, entry.key_id) == (known["principal"], "shop", None)

    asyncio.run(scenario())


def test_a_token_sees_and_may_use_only_the_tools_of_its_scopes(world: World, issuer: Issuer, era: Era) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with (
            serving(world, issuer.verifier(world), challenge=False) as served,
            served.client(issuer.token(served.url), era) as client,
        ):
            assert [tool.name for tool in (await client.list_tools()).tools] == ["whoami", "get_key_status"]
            assert structured(await client.call_tool("get_key_status", {}))["app"] == "shop"
            assert refusal(await client.call_tool("get_allow_list", {})).startswith("permission_denied")

    asyncio.run(scenario())


def test_a_missing_scope_is_challenged_by_name(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world, issuer.verifier(world)) as served:
            answer = await served.post(issuer.token(served.url), call("get_allow_list"))
        assert answer.status_code == 403
        assert 'error="insufficient_scope", scope="allowlist:read"' in answer.headers["www-authenticate"]

    asyncio.run(scenario())


def test_a_token_for_another_resource_or_a_long_life_opens_nothing_and_the_reason_stays_here(
    world: World, issuer: Issuer
) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world, issuer.verifier(world)) as served:
            elsewhere = await served.post(issuer.token("https://elsewhere.example.com"), HELLO)
            forever = await served.post(issuer.token(served.url, "forever"), HELLO)
            unknown = await served.post("chekt_test_" + "EXAMPLE0" * 4, HELLO)
        answers = [(one.status_code, one.headers["www-authenticate"]) for one in (elsewhere, forever, unknown)]
        assert answers == [answers[0]] * 3
        assert answers[0][0] == 401
        for text in (elsewhere.text, forever.text):
            assert "audience" not in text
            assert "lives" not in text

    asyncio.run(scenario())


def test_keys_that_the_issuer_rotates_are_followed(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world, issuer.verifier(world)) as served:
            first = issuer.token(served.url)
            assert (await served.post(first, HELLO)).status_code == 200
            issuer.post("/told/rotate/ES256")
            second = issuer.token(served.url)
            assert (await served.post(second, HELLO)).status_code == 401  # looked a moment ago: once a minute
            world.clock.forward(minutes=1)
            assert (await served.post(second, HELLO)).status_code == 200
            assert (await served.post(first, HELLO)).status_code == 200
            issuer.post("/told/withdraw")
            world.clock.forward(minutes=10)
            assert (await served.post(second, HELLO)).status_code == 200
            assert (await served.post(first, HELLO)).status_code == 401

    asyncio.run(scenario())


def test_an_opaque_token_is_asked_about_and_a_revoked_one_ends_within_half_a_minute(
    world: World, issuer: Issuer, era: Era
) -> None:
    introspection = {"CHEKT_MCP_OAUTH_INTROSPECTION_URL": f"{issuer.url}/introspect", **INTROSPECTION}

    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world, issuer.verifier(world, **introspection)) as served:
            token = issuer.token(served.url, "opaque")
            async with served.client(token, era) as client:
                known = structured(await client.call_tool("whoami", {}))
            assert (known["credential"], known["principal"]) == ("oauth", f"oauth:{issuer.url}#opaque")
            issuer.post("/revoke", "opaque", token=token)
            world.clock.forward(seconds=30)
            assert (await served.post(token, HELLO)).status_code == 401

    asyncio.run(scenario())


def test_an_issuer_that_is_gone_is_not_the_callers_fault(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        gone = {"CHEKT_MCP_OAUTH_JWKS_URL": "https://127.0.0.1:1/jwks"}
        async with serving(world, issuer.verifier(world, **gone)) as served:
            answer = await served.post(issuer.token(served.url), HELLO)
            key = world.keys["acme", "shop"]
            assert (await served.post(key, HELLO)).status_code == 200
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"]

    asyncio.run(scenario())


def test_an_approver_signs_in_with_a_token_for_the_pages_and_with_no_other(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        tokens = issuer.verifier(world)("https://mcp.example.com/mcp").access_tokens
        assert tokens is not None

        async def signed_in(token: str) -> ApproverToken | Refused:
            return await approver_of(tokens, token, PAGES, world.clock())

        approver = await signed_in(issuer.token(PAGES, "pages"))
        assert isinstance(approver, ApproverToken)
        assert (approver.dealer, approver.principal) == ("acme", f"oauth:{issuer.url}#pages")
        refusals = [
            ("wrong_audience", issuer.token("https://mcp.example.com/mcp", "pages")),
            ("not_an_approver", issuer.token(PAGES, "runbook")),
            ("not_an_approver", issuer.token(PAGES, "almost")),
            ("opaque_token_not_taken", world.keys["acme", "shop"]),
        ]
        for code, token in refusals:
            refused = await signed_in(token)
            assert isinstance(refused, Refused)
            assert refused.problem.code == code

    asyncio.run(scenario())


CHANGE = {"reason": "we moved", "entries": "127.0.0.1\n198.51.100.7"}


def test_a_token_asks_a_person_in_its_own_client(world: World, issuer: Issuer, era: Era) -> None:
    async def scenario() -> None:
        await world.add_app("shop", confirm="client", allow_list="127.0.0.1")
        await world.add_app("kiosk")
        person = Person(typed={"app": "shop"})
        async with serving(world, issuer.verifier(world)) as served:
            token = issuer.token(served.url, "both", "allowlist:write allowlist:read")
            async with served.client(token, era, person=person) as client:
                answer = structured(await client.call_tool("update_allow_list", {**CHANGE, "app": "shop"}))
        assert (answer["status"], len(person.shown)) == ("applied", 1)

    asyncio.run(scenario())


def test_nobody_approves_what_they_asked_for_with_whatever_token(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop", confirm="out_of_band", allow_list="127.0.0.1")
        async with serving(world, issuer.verifier(world)) as served:
            token = issuer.token(served.url, "pages", "allowlist:write allowlist:read")
            async with served.client(token) as client:
                asked = structured(await client.call_tool("update_allow_list", CHANGE))
        tokens = issuer.verifier(world)(served.url).access_tokens
        assert tokens is not None
        approver = await approver_of(tokens, issuer.token(PAGES, "pages"), PAGES, world.clock())
        assert isinstance(approver, ApproverToken)
        services, approval_id = world.services(), asked["approval"]["approval_id"]
        approval = await services.storage.read(lambda reader: reader.approval("acme", approval_id))
        assert approval is not None
        decided = [
            await decide(services, approval, Decider(principal, "page"), {"app": "shop"}, "req_test")
            for principal in (approver.principal, f"oauth:{issuer.url}#somebody-else")
        ]
        assert decided[0] is Refusal.OWN_REQUEST
        assert isinstance(decided[1], Approval)

    asyncio.run(scenario())


@asynccontextmanager
async def browser(served: Served) -> AsyncIterator[Callable[[str], Awaitable[httpx.Response]]]:
    """Yield somebody who pastes a token into the sign-in page."""
    async with httpx.AsyncClient(base_url=served.base, headers={"Origin": served.base}, trust_env=False) as http:

        async def sign_in(token: str) -> httpx.Response:
            form = FORM_TOKEN.search((await http.get("/approvals/sign-in")).text)
            assert form is not None
            await http.post("/approvals/sign-in", data={"form_token": form[1], "token": token})
            return await http.get("/approvals")

        yield sign_in


def test_an_approver_signs_in_to_the_pages_with_a_token_made_for_them(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world, issuer.verifier(world)) as served:
            pages = f"{served.base}/approvals"
            async with browser(served) as sign_in:
                for token in (issuer.token(served.url, "pages"), issuer.token(pages), world.keys["acme", "shop"]):
                    assert (await sign_in(token)).status_code == 303
            world.clock.forward(minutes=15)
            async with browser(served) as sign_in:
                assert (await sign_in(issuer.token(pages, "pages"))).status_code == 200
        (entry,) = await world.entries(action="approver.sign_in", dealer_wide=True)
        assert (entry.actor, entry.source) == (f"oauth:{issuer.url}#pages", "approval page")
        refusals = await world.entries("", dealer_wide=True, action="approver.token.refuse")
        assert refusals[0].details["outcome"] == "wrong_audience"

    asyncio.run(scenario())


def test_a_session_of_the_pages_ends_with_the_token_that_opened_it(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world, issuer.verifier(world)) as served, httpx.AsyncClient(trust_env=False) as later:
            token = issuer.token(f"{served.base}/approvals", "pages")
            world.clock.forward(minutes=50)
            async with browser(served) as sign_in:
                shown = await sign_in(token)
            world.clock.forward(minutes=11)
            answer = await later.get(f"{served.base}/approvals", headers={"Cookie": shown.request.headers["cookie"]})
        assert (shown.status_code, answer.status_code) == (200, 303)

    asyncio.run(scenario())


def test_an_approver_signs_in_at_the_issuer_with_a_real_browser(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        at_issuer = issuer.login(world, "approvers")
        async with serving(world, issuer.verifier(world), login_for=at_issuer) as served, chromium() as opened:
            page = await opened.new_page(ignore_https_errors=True, java_script_enabled=False)
            await page.goto(f"{served.base}/approvals")
            await page.get_by_role("link", name=f"Sign in at {issuer.url}").click()
            await page.get_by_role("link", name="To the approvals").click()
            await page.get_by_role("heading", name="What waits for a decision").wait_for()
        (entry,) = await world.entries(action="approver.sign_in", dealer_wide=True)
        assert entry.actor == f"oauth:{issuer.url}#kim"

    asyncio.run(scenario())


@pytest.mark.parametrize("altered", ["state", "code", "iss", "cookie", "claim"])
def test_what_another_browser_or_issuer_sent_signs_nobody_in(world: World, issuer: Issuer, altered: str) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        at_issuer = issuer.login(world, "visitors" if altered == "claim" else "approvers")
        async with (
            serving(world, issuer.verifier(world), login_for=at_issuer) as served,
            httpx.AsyncClient(verify=issuer.trust, trust_env=False) as http,
        ):
            begun = await http.get(f"{served.base}/approvals/sign-in/issuer")
            back = (await http.get(begun.headers["location"])).headers["location"]
            given = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
            if altered == "cookie":
                http.cookies.clear()
            elif altered != "claim":
                given[altered] = "https://other.example" if altered == "iss" else given[altered][:-2] + "xx"
            ended = await http.get(back.partition("?")[0], params=given)
            shown = await http.get(f"{served.base}/approvals")
        assert (ended.status_code, shown.status_code) == (403, 303)
        assert await world.entries(action="approver.sign_in", dealer_wide=True) == []

    asyncio.run(scenario())


def test_a_session_belongs_to_the_client_and_subject_that_opened_it(world: World, issuer: Issuer) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        await world.add_app("kiosk")
        async with serving(world, issuer.verifier(world)) as served:
            opened = await served.post(issuer.token(served.url), HELLO)
            session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
            listed = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
            refreshed, others = issuer.token(served.url), (issuer.token(served.url, "both"), world.keys["acme", "shop"])
            assert (await served.post(refreshed, listed, session)).status_code == 200
            for other in others:
                assert (await served.post(other, listed, session)).status_code == 404

    asyncio.run(scenario())
