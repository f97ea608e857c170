"""A decision on the pages: made by an approver who read the words and typed the app's name, and by nobody else."""

from __future__ import annotations

import pytest

from approver_desk import Desk, set_passphrase
from chekt_mcp.http.pages.guard import HEADERS

pytestmark = pytest.mark.anyio


async def test_an_approver_reads_the_words_types_the_name_and_the_change_is_made_once(desk: Desk) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in()
        listed = await browser.get("/approvals")
        shown = await browser.get(f"/approvals/{approval}")
        decided = await browser.post(f"/approvals/{approval}/approve", answer_app="shop")
        after = await browser.get(f"/approvals/{approval}")

    assert approval in listed.text
    assert "198.51.100.0/24" in shown.text
    assert decided.status_code == 303
    assert "Approved. Let the assistant call again" in after.text
    assert await desk.apply() == "applied"
    (entry,) = await desk.world.entries(action="approval.approve")
    assert (entry.actor, entry.source, entry.source_ip) == ("approver:passphrase", "approval page", "203.0.113.50")


async def test_a_denied_change_is_not_made(desk: Desk) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in()
        await browser.get(f"/approvals/{approval}")
        await browser.post(f"/approvals/{approval}/deny")
        after = await browser.get(f"/approvals/{approval}")

    assert "Denied. Nothing will be changed." in after.text
    assert await desk.apply() == "declined"


async def test_three_wrong_names_deny_it(desk: Desk) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in()
        await browser.get(f"/approvals/{approval}")
        for left in ("2 tries left", "1 try left"):
            tried = await browser.post(f"/approvals/{approval}/approve", answer_app="shop ")
            assert (tried.status_code, left in tried.text) == (409, True)
            assert "character for character" in tried.text
        tried = await browser.post(f"/approvals/{approval}/approve", answer_app="Shop")

    assert "Too many wrong answers" in tried.text
    assert await desk.apply() == "declined"


@pytest.mark.parametrize("path", ["", "/{id}", "/keys/rot_1"])
async def test_without_a_session_there_is_only_the_way_to_sign_in(desk: Desk, path: str) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        turned = await browser.get("/approvals" + path.format(id=approval))
        decided = await browser.post(f"/approvals/{approval}/approve", answer_app="shop")

    assert turned.headers["location"].startswith("/approvals/sign-in?to=/approvals")
    assert "198.51.100" not in turned.text
    assert decided.headers["location"] == "/approvals/sign-in"
    assert await desk.apply() == "approval_required"


async def test_the_credential_that_asked_opens_no_page(desk: Desk) -> None:
    async with desk.browser() as browser:
        browser.http.headers["Authorization"] = f"Bearer {desk.world.keys['acme', 'shop']}"
        turned = await browser.get(f"/approvals/{await desk.ask()}")

    assert turned.status_code == 303


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {}])
async def test_a_form_from_elsewhere_decides_nothing(desk: Desk, headers: dict[str, str]) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in()
        await browser.get(f"/approvals/{approval}")
        forged = await browser.post(f"/approvals/{approval}/approve", headers, answer_app="shop")

    assert forged.status_code == 403
    (entry,) = await desk.world.entries(dealer_wide=True, action="approver.form.refuse")
    assert (entry.actor, entry.details["outcome"]) == ("approver:passphrase", "decision")
    assert await desk.apply() == "approval_required"


async def test_a_form_without_the_token_of_its_session_decides_nothing(desk: Desk) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in()
        for token in ("", "0" * 64):
            browser.seen = None
            forged = await browser.post(f"/approvals/{approval}/approve", answer_app="shop", form_token=token)
            assert forged.status_code == 403

    assert await desk.apply() == "approval_required"


async def test_an_approver_of_another_dealer_sees_nothing_of_it(desk: Desk) -> None:
    await desk.world.add_app("till", dealer="bakery", env="live")
    await set_passphrase(desk.world, "bakery", "another five words to guess")
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in("another five words to guess", "bakery")
        listed, shown = await browser.get("/approvals"), await browser.get(f"/approvals/{approval}")
        browser.seen = listed
        decided = await browser.post(f"/approvals/{approval}/approve", answer_app="shop")

    assert approval not in listed.text
    assert (shown.status_code, decided.status_code) == (404, 404)
    assert await desk.apply() == "approval_required"


async def test_an_expired_approval_cannot_be_decided_and_says_so(desk: Desk) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in()
        shown = await browser.get(f"/approvals/{approval}")
        desk.world.clock.forward(minutes=11)
        browser.seen = shown
        decided = await browser.post(f"/approvals/{approval}/approve", answer_app="shop")

    assert (decided.status_code, "has expired" in decided.text) == (409, True)
    assert '<button class="main"' not in decided.text


async def test_foreign_text_in_the_words_stays_text(desk: Desk) -> None:
    approval = await desk.ask('198.51.100.0/24 # <script>alert(1)</script>\u202e & "quotes"')
    async with desk.browser() as browser:
        await browser.sign_in()
        shown = await browser.get(f"/approvals/{approval}")

    assert "<script" not in shown.text
    assert "&lt;script&gt;" in shown.text
    assert "\u202e" not in shown.text


@pytest.mark.parametrize("path", ["/approvals", "/approvals/sign-in", "/approvals/style.css", "/approvals/a/b/c", "/x"])
async def test_every_answer_forbids_scripts_frames_and_keeping(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        answer = await browser.get(path)

    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "body",
    [
        b"form_token=%C3%A9",
        b"answer_app=%ff",
        b"\xff\xfe",
        b"a=1&" * 100,
        b"form_token=" + b"0" * 20_000,
        b"{}",
        b"",
    ],
)
async def test_what_is_no_form_of_ours_decides_nothing(desk: Desk, body: bytes) -> None:
    approval = await desk.ask()
    async with desk.browser() as browser:
        await browser.sign_in()
        headers = {"Origin": "http://127.0.0.1:8787", "Content-Type": "application/x-www-form-urlencoded"}
        answer = await browser.http.post(f"/approvals/{approval}/deny", content=body, headers=headers)

    assert answer.status_code == 403
    assert await desk.apply() == "approval_required"
