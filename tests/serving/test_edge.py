"""Who comes in at the edge, in which order, and what the others are told and the log holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from chekt_mcp.auth.approver_token import ApproverToken
from chekt_mcp.auth.caller import Caller
from chekt_mcp.auth.granted import GrantedToken, Refused, of_token
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.audit import Query
from chekt_mcp.domain.rate_tier import RateTier
from chekt_mcp.domain.scope import Grant, Scope
from http_site import Served, call, serving
from world import World

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
OLD = {"MCP-Protocol-Version": "2025-11-25"}


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def begun() -> None:
        await scenario()

    asyncio.run(begun())


def refused(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, error["code"]


async def set_rate(world: World, tier: RateTier) -> None:
    app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
    assert app
    await world.storage.write(lambda writer: writer.update_app(replace(app, rate=tier), world.clock()))


def test_a_request_without_a_credential_is_told_where_to_learn_of_one(world: World) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world) as served:
            answer = await served.post(None, LIST)
            assert refused(answer) == (401, "invalid_api_key")
            told = f'Bearer resource_metadata="{served.base}/.well-known/oauth-protected-resource/mcp"'
            assert answer.headers["www-authenticate"] == told
            async with httpx.AsyncClient(trust_env=False) as http:
                document = (await http.get(told.split('"')[1])).json()
            assert document["resource"] == served.url

    run(scenario)


def test_unknown_ended_and_foreign_keys_get_the_same_answer(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        await world.add_app("adopted", authority="platform")
        (stored,) = await world.storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.API_KEY))
        ended = replace(stored.key, state=KeyState.REVOKED, revoked_at=world.clock())
        await world.storage.write(lambda writer: writer.update_key(ended))
        unknown = key[:-8] + "AAAAAAAA"
        secret = world.secrets["acme", "shop"]
        async with serving(world) as served:
            answers = [
                await served.post(one, LIST) for one in (key, unknown, secret, "x", world.keys["acme", "adopted"])
            ]
        told = {
            (one.status_code, one.headers["www-authenticate"], one.json()["error"]["message"], len(one.content))
            for one in answers
        }
        assert len(told) == 1
        outcomes = [entry.details["outcome"] for entry in await world.entries(action="http_request")]
        assert outcomes == ["revoked_key"]

    run(scenario)


def test_an_adopted_key_opens_the_server_once_its_operator_says_so(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop", authority="platform")
        async with serving(world) as served:
            assert (await served.post(key, LIST, OLD)).status_code == 401
            app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
            assert app
            await world.storage.write(
                lambda writer: writer.update_app(replace(app, own_key_over_http=True), world.clock())
            )
            async with served.client(key) as client:
                assert (await client.list_tools()).tools

    run(scenario)


def test_an_address_off_the_callers_own_list_is_refused_and_a_change_counts_at_once(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop", allow_list="203.0.113.0/24", covers=("kiosk",))
        await world.add_app("kiosk", allow_list="127.0.0.1")
        async with serving(world) as served:
            assert refused(await served.post(key, call("check_ip"))) == (403, "ip_not_allowed")
            assert refused(await served.post(key, call("check_ip", {"app": "kiosk"}))) == (403, "ip_not_allowed")
            await put_list(world, "127.0.0.0/8")
            async with served.client(key) as client:
                assert (await client.list_tools()).tools
        entries = await world.entries(action="http_request")
        assert [(one.details["outcome"], one.source_ip, one.actor) for one in entries] == [
            ("ip_not_allowed", "127.0.0.1", "app:shop")
        ] * 2

    run(scenario)


async def put_list(world: World, text: str) -> None:
    version = AllowListVersion(
        "acme", "shop", 2, enabled=True, text=text, effective_at=world.clock(), set_by="x", reason="test"
    )
    await world.storage.write(lambda writer: writer.add_allow_list(version))


def test_a_list_that_cannot_be_read_lets_nobody_in(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop", allow_list="127.0.0.1")
        await put_list(world, "not an address")
        async with serving(world) as served:
            assert refused(await served.post(key, LIST)) == (503, "unavailable")

    run(scenario)


def test_the_rate_of_the_app_holds_and_is_told(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        await set_rate(world, RateTier.FREE)
        async with serving(world) as served:
            answers = [await served.post(key, call("whoami"), OLD) for _ in range(6)]
            assert refused(answers[5]) == (429, "rate_limited")
            assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["4", "3", "2", "1", "0", "0"]
            assert (answers[5].headers["x-ratelimit-limit"], answers[5].headers["retry-after"]) == ("60", "1")
            assert int(answers[5].headers["x-ratelimit-reset"]) == world.clock().timestamp() + 5
            world.clock.forward(seconds=1)
            assert (await served.post(key, call("whoami"), OLD)).status_code != 429

    run(scenario)


def test_two_servers_of_one_state_share_the_rate(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        await set_rate(world, RateTier.FREE)
        async with serving(world) as one, serving(world) as other:
            for _ in range(3):
                assert (await one.post(key, LIST, OLD)).status_code != 429
            answers = [(await other.post(key, LIST, OLD)).status_code for _ in range(3)]
            assert [status == 429 for status in answers] == [False, False, True]

    run(scenario)


def test_all_who_call_for_an_app_share_its_rate_whatever_subjects_their_tokens_name(world: World) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        await set_rate(world, RateTier.FREE)
        one = OneToken()
        async with serving(world, lambda _resource: one) as served:
            statuses = []
            for number in range(6):
                one.grant = replace(one.grant, principal=f"user:{number}")
                statuses.append((await served.post("t", call("whoami"), OLD)).status_code)
        assert [status == 429 for status in statuses] == [False] * 5 + [True]

    run(scenario)


def test_a_request_that_is_refused_for_its_head_is_logged_with_its_address(world: World) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world) as served:
            assert (await served.post(None, LIST, {"Host": "evil.test"})).status_code == 421
        (entry,) = await world.entries(dealer="", apps=(), dealer_wide=True)
        assert (entry.details["outcome"], entry.source_ip) == ("wrong_host", "127.0.0.1")

    run(scenario)


def test_an_address_that_keeps_failing_has_to_wait_while_a_good_key_from_there_does_not(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        async with serving(world) as served:
            statuses = [(await served.post("chekt_test_wrong", LIST)).status_code for _ in range(22)]
            assert statuses == [401] * 20 + [429] * 2
            assert (await served.post("ey.J.x", LIST)).headers["retry-after"] == "3"
            async with served.client(key) as client:
                assert (await client.list_tools()).tools

    run(scenario)


def test_a_flood_of_refusals_is_counted_and_not_one_is_lost(world: World) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world) as served:
            await asyncio.gather(*(served.post("chekt_test_wrong", LIST) for _ in range(100)))
        everything = Query("", (), datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), dealer_wide=True)
        entries = await world.storage.read(lambda reader: reader.search(everything, 1_000))
        assert len(entries) <= 62
        assert sum(int(str(entry.details.get("times", 1))) for entry in entries) == 100

    run(scenario)


class OneToken:
    """A verifier that knows one OAuth token, with one scope."""

    def __init__(self) -> None:
        self.grant = Grant("acme", "user:7", "oauth", "shop", ("shop",), frozenset({Scope.ALLOWLIST_READ}))
        self.issuers = ("https://i.test",)

    async def judge(self, token: str, now: datetime) -> GrantedToken:  # noqa: ARG002 -- the verifier's form
        url = "http://127.0.0.1/mcp"
        given = of_token(self.grant, client_id="c", issuer="https://i.test", subject="7", expires_at=now, resource=url)
        return given.model_copy(update={"expires_at": None})

    async def verify(self, token: str, now: datetime) -> Caller:
        raise NotImplementedError

    async def approver(self, token: str, pages: str, now: datetime) -> ApproverToken | Refused:
        raise NotImplementedError


READING = {
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "resources/read",
    "Mcp-Name": "chekt-export://exp_1/log.csv",
}
MODERN = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "rotate_key"}


@pytest.mark.parametrize("headers", [OLD, MODERN], ids=["from the body", "from the headers"])
def test_an_oauth_caller_is_challenged_for_the_scopes_of_the_call(world: World, headers: dict[str, str]) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world, lambda _resource: OneToken()) as served:
            answer = await served.post("t", call("rotate_key", {"reason": "scheduled"}), headers)
            assert refused(answer) == (403, "permission_denied")
            metadata = f"{served.base}/.well-known/oauth-protected-resource/mcp"
            told = f'Bearer error="insufficient_scope", scope="keys:write", resource_metadata="{metadata}"'
            assert answer.headers["www-authenticate"] == told

    run(scenario)


@pytest.mark.parametrize("headers", [OLD, READING], ids=["from the body", "from the headers"])
def test_an_oauth_caller_is_challenged_for_the_scope_of_a_resource(world: World, headers: dict[str, str]) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        read = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": READING["Mcp-Name"]}}
        async with serving(world, lambda _resource: OneToken()) as served:
            answer = await served.post("t", read, headers)
            assert refused(answer) == (403, "permission_denied")
            assert 'scope="operators:read"' in answer.headers["www-authenticate"]

    run(scenario)


def test_an_oauth_caller_is_refused_in_band_where_that_is_set(world: World) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with (
            serving(world, lambda _resource: OneToken(), challenge=False) as served,
            served.client("t") as client,
        ):
            result = await client.call_tool("rotate_key", {"reason": "scheduled"})
            assert result.is_error

    run(scenario)


def test_a_tool_list_that_depends_on_the_caller_is_private(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        async with serving(world) as served, served.client(key) as client:
            assert (await client.list_tools()).cache_scope == "private"

    run(scenario)


async def raw_refusal(served: Served, *lines: str, body: bytes = b"", method: str = "POST") -> tuple[int, str]:
    request = "\r\n".join([f"{method} /mcp HTTP/1.1", *lines, "", ""]).encode("latin-1") + body
    head, _, document = (await served.raw(request)).partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    try:
        return status, httpx.Response(status, content=document).json()["error"]["code"]
    except ValueError:
        return status, "not parsed"


def heads(served: Served, key: str) -> dict[str, tuple[list[str], bytes, set[Any]]]:
    host, bearer = f"Host: 127.0.0.1:{served.port}", f"Authorization: Bearer {key}"
    plain, end = [host, bearer, "Content-Type: application/json"], "Connection: close"
    refused_by_parser = (400, "not parsed")
    return {
        "two authorizations": ([*plain, bearer, end], b"", {(400, "ambiguous_request")}),
        "both framings": (
            [*plain, "Content-Length: 5", "Transfer-Encoding: chunked", end],
            b"0\r\n\r\n",
            {(400, "ambiguous_request"), refused_by_parser},
        ),
        "two lengths": (
            [*plain, "Content-Length: 2", "Content-Length: 2", end],
            b"{}",
            {(400, "ambiguous_request"), refused_by_parser},
        ),
        "two different lengths": (
            [*plain, "Content-Length: 2", "Content-Length: 3", end],
            b"{} ",
            {(400, "ambiguous_request"), refused_by_parser},
        ),
        "a rebound name": ([plain[1], "Host: evil.test", end], b"", {(421, "wrong_host")}),
        "a name that begins like ours": (
            [plain[1], f"Host: 127.0.0.1:{served.port}.evil.test", end],
            b"",
            {(421, "wrong_host")},
        ),
        "a page of another site": ([*plain, "Origin: https://evil.test", end], b"", {(403, "wrong_origin")}),
        "a page without a site": ([*plain, "Origin: null", end], b"", {(403, "wrong_origin")}),
        "a giant body announced": ([*plain, "Content-Length: 99999999", end], b"", {(413, "payload_too_large")}),
        "a compressed body": (
            [*plain, "Content-Encoding: gzip", "Content-Length: 2", end],
            b"\x1f\x8b",
            {(415, "unsupported_media_type")},
        ),
        "a body compressed on its way": (
            [*plain, "Transfer-Encoding: gzip, chunked", end],
            b"2\r\n\x1f\x8b\r\n0\r\n\r\n",
            {(415, "unsupported_media_type"), refused_by_parser},
        ),
        "long headers": ([*plain, "X: " + "a" * 17_000, end], b"", {(431, "headers_too_large"), refused_by_parser}),
        "many headers": ([*plain, *["X: a"] * 70, end], b"", {(431, "headers_too_large")}),
    }


HEADS = [
    "two authorizations",
    "both framings",
    "two lengths",
    "two different lengths",
    "a rebound name",
    "a name that begins like ours",
    "a page of another site",
    "a page without a site",
    "a giant body announced",
    "a compressed body",
    "a body compressed on its way",
    "long headers",
    "many headers",
]


@pytest.mark.parametrize("what", HEADS)
def test_a_head_that_could_be_read_in_two_ways_or_is_not_for_us_is_refused(world: World, what: str) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        async with serving(world) as served:
            cases = heads(served, key)
            assert list(cases) == HEADS
            lines, body, expected = cases[what]
            assert await raw_refusal(served, *lines, body=body) in expected

    run(scenario)


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT"])
def test_a_body_that_trickles_is_not_waited_for(world: World, method: str) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        async with serving(world, body_seconds=0.05) as served:
            lines = [f"Host: 127.0.0.1:{served.port}", f"Authorization: Bearer {key}", "Content-Length: 100"]
            async with asyncio.timeout(20):
                assert await raw_refusal(served, *lines, body=b"{", method=method) == (408, "request_timeout")

    run(scenario)


def test_a_body_that_grows_beyond_what_is_taken_is_refused(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        async with serving(world) as served:
            lines = [f"Host: 127.0.0.1:{served.port}", f"Authorization: Bearer {key}", "Transfer-Encoding: chunked"]
            assert await raw_refusal(served, *lines, body=piece * 5) == (413, "payload_too_large")

    run(scenario)


NOT_MESSAGES: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"[" * 100_000,
    b'{"jsonrpc": "2.0"',
    b"\xff\xfe",
    b'{"id": ' + b"9" * 5_000,
]


@pytest.mark.parametrize("body", NOT_MESSAGES, ids=range(len(NOT_MESSAGES)))
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_what_is_no_message_is_answered_and_breaks_nothing(world: World, body: bytes, version: str) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": version,
        }
        async with serving(world) as served, httpx.AsyncClient(trust_env=False) as http:
            assert (await http.post(served.url, content=body, headers=headers)).status_code == 400
            async with served.client(key) as client:
                assert (await client.list_tools()).tools

    run(scenario)
