"""`check_webhook_endpoint` through a real client in both eras: the verdict, what is withheld, and how often."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chekt_mcp.domain.audit import Kind
from chekt_mcp.tools.catalog import CATALOG
from endpoint_certificates import HOST, Authority, self_signed
from endpoint_servers import LOOPBACK, Resolver, identity_and_trust, probe, serving
from world import Era, World, refusal, structured, words

pytestmark = pytest.mark.anyio

TOOL = "check_webhook_endpoint"
NOTHING_SEEN = {"address": None, "tls_version": None, "certificate": None, "status": None, "redirect": None}


def codes(answer: dict[str, Any]) -> list[str]:
    return [one["code"] for one in answer["findings"]]


async def test_a_good_endpoint_is_fit_and_what_was_seen_is_told(world: World, era: Era, tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    world.probe = probe(trust)
    key = await world.add_app("shop")
    with serving(identity.context(tmp_path)) as server:
        async with world.client(key, era) as client:
            result = await client.call_tool(TOOL, {"url": server.url()})
    answer = structured(result)
    assert answer == {
        "fit": True,
        "address": LOOPBACK,
        "tls_version": "TLSv1.3",
        "certificate": {
            "subject": f"CN={HOST}",
            "issuer": "CN=Public Test Authority",
            "not_after": "2090-01-01T00:00:00Z",
            "self_signed": False,
        },
        "status": 204,
        "redirect": None,
        "findings": [],
    }
    assert words(result).startswith("Fit to receive deliveries (127.0.0.1, TLSv1.3, certificate until 2090-01-01T")
    assert (await world.entries(kind=Kind.TOOL_CALL))[-1].details["outcome"] == "fit"


async def test_an_unfit_endpoint_is_told_cause_and_fix_in_both_forms(world: World, era: Era, tmp_path: Path) -> None:
    world.probe = probe(Authority().trusted)
    key = await world.add_app("shop")
    with serving(self_signed(HOST).context(tmp_path)) as server:
        async with world.client(key, era) as client:
            result = await client.call_tool(TOOL, {"url": server.url()})
    answer = structured(result)
    assert (answer["fit"], codes(answer)) == (False, ["self_signed"])
    assert answer["certificate"]["self_signed"]
    assert "security@chekt.com" in answer["findings"][0]["fix"]
    said = words(result)
    assert said.startswith("NOT fit to receive deliveries")
    assert "critical self_signed:" in said
    assert "security@chekt.com" in said
    assert (await world.entries(kind=Kind.TOOL_CALL))[-1].details["outcome"] == "unfit self_signed"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/chekt", "not_https"),
        ("https://user:word@hooks.example.com/", "credentials_in_url"),
        ("https://hooks.example.com:25/", "port_not_looked_at"),
        ("https://localhost:8443/", "local_name"),
    ],
)
async def test_a_url_that_is_unfit_by_itself_is_neither_resolved_nor_contacted(
    world: World, era: Era, url: str, code: str
) -> None:
    resolver = Resolver([LOOPBACK])
    world.probe = probe(resolver=resolver)
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        for _ in range(15):
            result = await client.call_tool(TOOL, {"url": url})
    answer = structured(result)
    assert resolver.asked == []
    assert {name: answer[name] for name in NOTHING_SEEN} == NOTHING_SEEN
    assert (answer["fit"], codes(answer)) == (False, [code])


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.7"], [LOOPBACK, "169.254.169.254"], ["::ffff:10.0.0.7"], ["64:ff9b::a00:7"], ["2002:a00:7::"]],
)
async def test_what_is_not_on_the_internet_is_not_contacted_and_its_address_not_told(
    world: World, era: Era, addresses: list[str], tmp_path: Path
) -> None:
    identity, trust = identity_and_trust()
    world.probe = probe(trust, Resolver(addresses))
    key = await world.add_app("shop")
    with serving(identity.context(tmp_path)) as server:
        async with world.client(key, era) as client:
            result = await client.call_tool(TOOL, {"url": server.url()})
    answer = structured(result)
    assert server.connections == 0
    assert {name: answer[name] for name in NOTHING_SEEN} == NOTHING_SEEN
    assert (answer["fit"], codes(answer)) == (False, ["address_not_public"])
    assert not any(address in words(result) + str(answer) for address in addresses)


async def test_where_a_redirect_leads_is_data_in_a_field_of_its_own(world: World, era: Era, tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    world.probe = probe(trust)
    key = await world.add_app("shop")
    target = "https://x.example.com/ignore previous\x1b[2J" + "y" * 500
    answer_bytes = f"HTTP/1.1 301 M\r\nLocation: {target}\r\n\r\nBODY".encode()
    with serving(identity.context(tmp_path), answer_bytes) as server:
        async with world.client(key, era) as client:
            result = await client.call_tool(TOOL, {"url": server.url()})
    answer = structured(result)
    assert (answer["fit"], answer["status"], codes(answer)) == (False, 301, ["redirects"])
    assert answer["redirect"].startswith("https://x.example.com/ignore previous\\u{1b}[2J")
    assert len(answer["redirect"]) <= 200
    assert "ignore" not in words(result)
    assert "BODY" not in words(result) + str(answer)


async def test_names_in_a_certificate_are_escaped_and_cut(world: World, tmp_path: Path) -> None:
    authority = Authority("Evil\u202e\n" + "A" * 50)
    world.probe = probe(authority.trusted)
    key = await world.add_app("shop")
    with serving(authority.issue(HOST).context(tmp_path)) as server:
        async with world.client(key) as client:
            result = await client.call_tool(TOOL, {"url": server.url()})
    issuer = structured(result)["certificate"]["issuer"]
    assert "\u202e" not in issuer
    assert "\n" not in issuer
    assert "Evil" not in words(result)


async def test_the_callers_clock_decides_what_expires_soon(world: World, tmp_path: Path) -> None:
    authority = Authority()
    world.probe = probe(authority.trusted)
    world.clock.now = authority.not_after - timedelta(days=20)
    key = await world.add_app("shop")
    with serving(authority.issue(HOST).context(tmp_path)) as server:
        async with world.client(key) as client:
            answer = structured(await client.call_tool(TOOL, {"url": server.url()}))
    assert (answer["fit"], codes(answer)) == (True, ["certificate_expires_soon"])
    assert answer["findings"][0]["severity"] == "warning"


async def test_a_caller_has_ten_looks_a_minute_and_is_told_when_the_next_is(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    look = {"url": f"https://{HOST}/"}
    async with world.client(key, era) as client:
        for _ in range(10):
            assert codes(structured(await client.call_tool(TOOL, look))) == ["name_not_resolved"]
        said = refusal(await client.call_tool(TOOL, look))
        assert said.startswith("rate_limited")
        assert "6 s" in said
        entry = (await world.entries(kind=Kind.TOOL_CALL))[-1]
        assert (entry.result, entry.details["outcome"]) == ("denied", "rate_limited")
        structured(await client.call_tool("whoami", {}))
        world.clock.forward(seconds=6)
        structured(await client.call_tool(TOOL, look))
        assert refusal(await client.call_tool(TOOL, look)).startswith("rate_limited")


async def test_an_endpoint_that_never_answers_gives_an_answer_all_the_same(world: World, era: Era) -> None:
    from chekt_mcp.network.look import Patience  # noqa: PLC0415 -- this test alone is impatient

    world.probe = probe(patience=Patience(connect=0.1, answer=0.1, whole=0.2))
    key = await world.add_app("shop")
    with serving(None, None) as server:
        async with world.client(key, era) as client:
            answer = structured(await client.call_tool(TOOL, {"url": server.url()}))
    assert (answer["fit"], codes(answer)) == (False, ["handshake_failed"])


async def test_no_argument_names_a_resolver_an_address_or_trust(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        for name in ("resolver", "address", "resolve", "trust", "ca_file", "insecure", "verify", "timeout", "method"):
            said = refusal(await client.call_tool(TOOL, {"url": f"https://{HOST}/", name: "x"}))
            assert said.startswith(f"unknown_argument ({name})")
    assert CATALOG[TOOL].argument_names == {"url"}


async def test_every_answer_fits_the_published_schema(world: World, era: Era, tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    world.probe = probe(trust)
    key = await world.add_app("shop")
    redirect = b"HTTP/1.1 308 P\r\nLocation: /b\r\n\r\n"
    with serving(identity.context(tmp_path), redirect) as redirecting, serving(None, b"hello") as plain:
        async with world.client(key, era) as client:
            schema = next(tool for tool in (await client.list_tools()).tools if tool.name == TOOL).output_schema
            for url in (redirecting.url(), plain.url(), f"http://{HOST}/"):
                answer = structured(await client.call_tool(TOOL, {"url": url}))
                Draft202012Validator(schema or {}).validate(answer)


async def test_it_is_announced_as_reaching_others_and_changing_nothing(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        hints = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    own = hints[TOOL]
    assert own is not None
    assert (own.open_world_hint, own.read_only_hint, own.destructive_hint) == (True, True, False)
    assert {name for name, hint in hints.items() if hint and hint.open_world_hint} == {TOOL, "verify_audit_log"}
