"""Signing in: the passphrase only, a few attempts, and a session that the store can end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from approver_desk import ORIGIN, PASSPHRASE, SETTINGS, Desk
from chekt_mcp.auth.granted import Refused
from chekt_mcp.http.client_of import ClientOf
from chekt_mcp.http.pages.issuer_login import ByIssuer, IssuerLogin
from chekt_mcp.http.pages.visitor import PageSettings

pytestmark = pytest.mark.anyio


async def test_a_session_ends_after_half_an_hour(desk: Desk) -> None:
    async with desk.browser() as browser:
        assert (await browser.sign_in()).headers["location"] == "/approvals"
        assert (await browser.get("/approvals")).status_code == 200
        desk.world.clock.forward(minutes=30)
        assert (await browser.get("/approvals")).status_code == 303


async def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(desk: Desk) -> None:
    async with desk.browser() as browser, desk.browser() as copy:
        await browser.sign_in()
        copy.http.cookies.update(browser.http.cookies)
        await browser.get("/approvals")
        left = await browser.post("/approvals/sign-out")
        after = await copy.get("/approvals")

    assert "Signed out" in left.text
    assert after.status_code == 303
    assert len(await desk.world.entries(action="approver.sign_out", dealer_wide=True)) == 1


async def test_wrong_passphrase_and_unknown_dealer_get_the_same_answer(desk: Desk) -> None:
    await desk.world.add_dealer("empty")
    answers = []
    for typed, dealer in (("wrong words entirely", "acme"), (PASSPHRASE, "nobody"), (PASSPHRASE, "empty")):
        async with desk.browser() as browser:
            refused = await browser.sign_in(typed, dealer)
            answers.append((refused.status_code, refused.text.partition('role="alert">')[2].partition("<")[0]))

    assert set(answers) == {
        (403, "That was not accepted. After several wrong attempts nothing is, for a quarter of an hour.")
    }


async def test_a_locked_passphrase_costs_the_work_of_an_unknown_dealer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, hashed = hashlib.scrypt, []

    def counted(*given: Any, **how: Any) -> bytes:
        hashed.append(given)
        return real(*given, **how)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    work = []
    for number, dealer in enumerate(["acme"] * 7 + ["nobody"]):
        hashed.clear()
        async with desk.browser(f"198.51.100.{number}") as browser:
            await browser.sign_in("wrong words entirely", dealer)
        work.append(len(hashed))

    assert work == [1] * 8


async def test_one_address_cannot_lock_the_passphrase_for_the_others(desk: Desk) -> None:
    async with desk.browser() as guesser, desk.browser("198.51.100.77") as approver:
        statuses = [(await guesser.sign_in(f"wrong words, try {number}")).status_code for number in range(8)]
        entered = await approver.sign_in()

    assert statuses == [403] * 4 + [429] * 4
    assert entered.status_code == 303


async def test_one_address_cannot_have_the_issuer_asked_without_end(desk: Desk) -> None:
    asked = []

    async def redeem(form: Mapping[str, str]) -> bytes | None:
        asked.append(form["code"])
        return None

    async def approver_of(_token: str, _now: datetime) -> Refused:
        raise AssertionError

    login = IssuerLogin("https://i.test", "https://i.test/authorize", "pages", f"{ORIGIN}/approvals", redeem)
    async with desk.browser(issuer=ByIssuer(approver_of, login)) as browser:
        begun = await browser.get("/approvals/sign-in/issuer")
        (state,) = parse_qs(urlsplit(begun.headers["location"]).query)["state"]
        foreign = [await browser.get("/approvals/sign-in/callback?code=c&state=x") for _ in range(8)]
        own = [await browser.get(f"/approvals/sign-in/callback?code=c&state={state}") for _ in range(8)]

    assert {one.status_code for one in foreign} == {403}
    assert [one.status_code for one in own] == [403] * 4 + [429] * 4
    assert asked == ["c"] * 4


async def test_whoever_comes_past_our_proxies_sees_no_page_and_types_no_passphrase(desk: Desk) -> None:
    behind = PageSettings("/approvals", SETTINGS.origins, secure=False, client_of=ClientOf(("192.0.2.1",)))
    async with desk.browser(settings=behind) as browser:
        shown = await browser.get("/approvals/sign-in")
        typed = await browser.post("/approvals/sign-in", dealer="acme", passphrase=PASSPHRASE)

    assert (shown.status_code, typed.status_code) == (400, 400)
    assert "form_token" not in shown.text
    assert "set-cookie" not in typed.headers


async def test_nobody_is_led_to_a_host_that_the_request_names(desk: Desk) -> None:
    async with desk.browser() as browser:
        answer = await browser.http.get("/approvals/sign-in/", headers={"Host": "evil.example"})

    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(desk: Desk) -> None:
    secure = PageSettings("/approvals", SETTINGS.origins, secure=True, client_of=SETTINGS.client_of)
    async with desk.browser() as plain, desk.browser(settings=secure) as encrypted:
        set_plain = (await plain.sign_in()).headers["set-cookie"]
        set_secure = (await encrypted.get("/approvals/sign-in")).headers["set-cookie"]

    for cookie in (set_plain, set_secure):
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
    assert set_secure.startswith("__Host-")
    assert "Secure" in set_secure


async def test_nobody_is_signed_in_by_a_form_of_another_site(desk: Desk) -> None:
    async with desk.browser() as browser:
        await browser.get("/approvals/sign-in")
        forged = await browser.post(
            "/approvals/sign-in", {"Origin": "https://evil.example"}, dealer="acme", passphrase=PASSPHRASE
        )

    assert forged.status_code == 403
    (entry,) = await desk.world.entries("", dealer_wide=True, action="approver.form.refuse")
    assert (entry.source_ip, entry.details["outcome"]) == ("203.0.113.50", "sign_in")


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/approvals/../x", "/approvals/apr_1?x", "/approvals/\n"]
)
async def test_signing_in_leads_nowhere_else(desk: Desk, to: str) -> None:
    async with desk.browser() as browser:
        await browser.get("/approvals/sign-in")
        entered = await browser.post("/approvals/sign-in", dealer="acme", passphrase=PASSPHRASE, back=to)

    assert entered.headers["location"] == "/approvals"


async def test_signing_in_leads_back_to_the_approval_that_was_asked_for(desk: Desk) -> None:
    async with desk.browser() as browser:
        turned = await browser.get("/approvals/apr_1a")
        await browser.get(turned.headers["location"])
        assert 'name="back" value="/approvals/apr_1a"' in (browser.seen.text if browser.seen else "")


async def test_whoever_has_no_passphrase_is_told_where_people_decide(desk: Desk) -> None:
    async with desk.browser() as browser:
        shown = await browser.get("/approvals/sign-in")

    assert "chekt-mcp approvals" in shown.text


async def test_what_was_typed_is_kept_nowhere(desk: Desk) -> None:
    async with desk.browser() as browser:
        await browser.sign_in("wrong words entirely")
        entered = await browser.sign_in()
        token = browser.http.cookies["chekt-approver"]

    assert entered.status_code == 303
    for file in desk.world.directory.iterdir():
        if file.is_file():
            kept = file.read_bytes()
            assert PASSPHRASE.encode() not in kept
            assert b"wrong words entirely" not in kept
            assert token.encode() not in kept
    assert ORIGIN.startswith("http://127")


@pytest.mark.parametrize("path", ["/approvals", "/approvals/sign-in", "/approvals/apr_1"])
async def test_a_name_that_is_not_ours_is_answered_with_no_page(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        answer = await browser.http.get(path, headers={"Host": "rebound.example"})

    assert answer.status_code == 421
    assert "acme" not in answer.text
    assert "form" not in answer.text.lower()
