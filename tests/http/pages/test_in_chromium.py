"""The pages in a real browser: light, dark, narrow; without JavaScript; by keyboard; nothing fetched from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from approver_desk import PASSPHRASE, Desk
from browser import chromium
from http_site import Served, serving

pytestmark = pytest.mark.anyio

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1000, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1000, "height": 800}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
}
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3

CONTRASTS = """() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = text => { const [r, g, b] = parts(text).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = node => { for (; node; node = node.parentElement) { const c = getComputedStyle(node).backgroundColor;
    if (parts(c).length === 3) return c; } return 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('main *, header *')].filter(node => [...node.childNodes]
      .some(child => child.nodeType === 3 && child.data.trim()))
    .map(node => { const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });
}"""
"""Contrast of every piece of text with what lies behind it, as WCAG 2.2 reckons it."""


SIDEWAYS = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('*')]
  .filter(node => node.scrollWidth > innerWidth).map(node => node.outerHTML.slice(0, 100))"""
UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]):not([hidden])')]
  .filter(input => !input.labels.length).map(input => input.name)"""


async def sign_in(page: Page, served: Served, path: str) -> None:
    await page.goto(served.base + path)
    await page.get_by_label("Approver passphrase").fill(PASSPHRASE)
    await page.keyboard.press("Enter")
    await page.wait_for_url(served.base + path)


async def test_without_javascript_an_approver_decides_by_keyboard_alone(desk: Desk) -> None:
    approval = await desk.ask()
    async with serving(desk.world) as served, chromium() as browser:
        page = await browser.new_page(java_script_enabled=False)
        await sign_in(page, served, f"/approvals/{approval}")
        assert "198.51.100.0/24" in (await page.get_by_label("What will happen").inner_text())
        await page.get_by_label("Type the app's name (shop)").focus()
        await page.keyboard.type("shop")
        await page.keyboard.press("Tab")
        assert await page.get_by_role("button", name="Approve").evaluate("node => node.matches(':focus')")
        await page.keyboard.press("Enter")
        await page.get_by_role("status").wait_for()
        said = await page.get_by_role("status").inner_text()

    assert said.startswith("Approved.")
    assert await desk.apply() == "applied"


async def test_nothing_is_fetched_from_elsewhere_and_no_console_complains(desk: Desk) -> None:
    approval = await desk.ask("198.51.100.0/24 # <img src=x onerror=alert(1)>")
    asked: list[str] = []
    complaints: list[str] = []
    async with serving(desk.world) as served, chromium() as browser:
        page = await browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        await sign_in(page, served, f"/approvals/{approval}")
        await page.goto(served.base + "/approvals")
        base = served.base

    assert len(asked) > 3
    assert [url for url in asked if not url.startswith(base + "/approvals")] == []
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_can_be_read_in_light_dark_and_narrow(desk: Desk, look: str) -> None:
    approval = await desk.ask("\n".join(f"198.51.100.{number} # {'a long comment ' * 8}" for number in range(12)))
    async with serving(desk.world) as served, chromium() as browser:
        page = await browser.new_page(**LOOKS[look])
        await page.goto(served.base + "/approvals/sign-in")
        await readable(page)
        await sign_in(page, served, f"/approvals/{approval}")
        await readable(page)
        await page.get_by_label("Type the app's name (shop)").fill("wrong")
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_role("alert").wait_for()
        await readable(page)
        for path in ("/approvals", "/approvals/apr_none"):
            await page.goto(served.base + path)
            await readable(page)


async def readable(page: Page) -> None:
    """Nothing sticks out sideways, every text stands out from its ground, and every field has a name."""
    await page.wait_for_load_state("load")
    assert await page.evaluate(SIDEWAYS) == []
    contrasts = await page.evaluate(CONTRASTS)
    assert contrasts
    assert min(contrasts) >= LEAST_CONTRAST
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate("() => document.documentElement.lang") == "en"
    assert await page.locator("h1").count() == 1


async def test_a_page_of_another_site_cannot_decide_with_the_approvers_cookie(desk: Desk) -> None:
    approval = await desk.ask()
    async with serving(desk.world) as served, chromium() as browser:
        page = await browser.new_page()
        await sign_in(page, served, f"/approvals/{approval}")
        target = f"{served.base.replace('127.0.0.1', 'localhost')}/approvals/{approval}/deny"
        forged = f'<form method="post" action="{target}"></form>'
        await page.goto("about:blank")
        await page.set_content(forged)
        async with page.expect_navigation():
            await page.evaluate("() => document.forms[0].submit()")

    assert await desk.apply() == "approval_required"


async def test_a_link_of_another_site_signs_nobody_out_and_leads_on(desk: Desk) -> None:
    approval = await desk.ask()
    async with serving(desk.world) as served, serving(desk.world) as elsewhere, chromium() as browser:
        page = await browser.new_page()
        await sign_in(page, served, f"/approvals/{approval}")
        await page.goto(f"{elsewhere.base.replace('127.0.0.1', 'localhost')}/healthz")
        async with page.expect_navigation():
            await page.evaluate("address => location.assign(address)", f"{served.base}/approvals/{approval}")
        assert await page.title() == "Sign in · chekt-mcp"
        await page.get_by_role("link", name="go on").click()
        await page.wait_for_url(f"{served.base}/approvals/{approval}")
        assert "198.51.100.0/24" in await page.get_by_label("What will happen").inner_text()
