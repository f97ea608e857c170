"""What `serve --http` refuses to begin with, and what names it then answers to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.errors import InvalidInput
from chekt_mcp.serving.options import HttpOptions, Tls, checked, listening_address

TLS = Tls(Path("cert.pem"), Path("key.pem"))
PROXIES = ("10.0.0.0/8",)
NAMED = "https://mcp.example.com/mcp"


def made(host: str = "0.0.0.0", **settings: Any) -> HttpOptions:  # noqa: S104 -- what is refused here
    return checked(HttpOptions(listening_address(host), 8787, **settings))


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, "tls_required"),
        ({"public_url": NAMED}, "tls_required"),
        ({"host": "::"}, "tls_required"),
        ({"host": "192.0.2.1"}, "tls_required"),
        ({"tls": TLS}, "public_url_required"),
        ({"proxies": PROXIES}, "public_url_required"),
        ({"proxies": ("everybody",), "public_url": NAMED}, "bad_trusted_proxy"),
        ({"proxies": ("0.0.0.0/0",), "public_url": NAMED}, "proxies_too_wide"),
        ({"proxies": ("10.0.0.1", "::ffff:0.0.0.0/97"), "public_url": NAMED}, "proxies_too_wide"),
        ({"proxies": ("2000::/3",), "public_url": NAMED}, "proxies_too_wide"),
        ({"proxies": PROXIES, "public_url": "http://mcp.example.com/mcp"}, "bad_public_url"),
        ({"tls": TLS, "public_url": "https://mcp.example.com/other"}, "bad_public_url"),
        ({"tls": TLS, "public_url": "https:///mcp"}, "bad_public_url"),
        ({"tls": TLS, "public_url": "https://mcp.example.com:99999/mcp"}, "bad_public_url"),
        ({"tls": TLS, "public_url": "https://me:secret@mcp.example.com/mcp"}, "bad_public_url"),
        ({"tls": TLS, "public_url": 'https://mcp.example.com", error="/mcp'}, "bad_public_url"),
        ({"tls": TLS, "public_url": "https://mcp.exämple.com/mcp"}, "bad_public_url"),
        ({"tls": TLS, "public_url": "https://mcp.example.com./mcp"}, "bad_public_url"),
        ({"host": "127.0.0.1", "tls": TLS, "public_url": "http://127.0.0.1:8787/mcp"}, "bad_public_url"),
        ({"host": "127.0.0.1", "redirect_port": 80}, "no_tls"),
        ({"host": "127.0.0.1", "workers": 0}, "out_of_range"),
        ({"host": "127.0.0.1", "path": "mcp"}, "bad_path"),
        ({"host": "127.0.0.1", "path": "/approvals"}, "bad_path"),
        ({"host": "127.0.0.1", "path": "/healthz"}, "bad_path"),
        ({"host": "127.0.0.1", "path": "/.well-known/oauth-protected-resource"}, "bad_path"),
        ({"host": "127.0.0.1", "path": "/mcp?x"}, "bad_path"),
        ({"host": "127.0.0.1", "path": "//evil.test/mcp"}, "bad_path"),
        ({"host": "mcp.example.com"}, "bad_host"),
    ],
)
def test_what_would_send_keys_in_clear_or_cannot_be_reached_is_refused(settings: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        made(**settings)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "127.0.0.1"},
        {"host": "localhost"},
        {"host": "::1"},
        {"tls": TLS, "public_url": NAMED},
        {"proxies": PROXIES, "public_url": NAMED},
        {"host": "127.0.0.1", "proxies": ("127.0.0.1",), "public_url": NAMED},
        {"tls": TLS, "public_url": "https://192.0.2.1:8787/mcp"},
        {"tls": TLS, "public_url": "https://[2001:db8::1]/mcp"},
    ],
)
def test_this_machine_tls_and_named_proxies_are_served(settings: dict[str, Any]) -> None:
    assert made(**settings).port == 8787


def test_a_public_server_answers_to_its_public_name_only() -> None:
    own = made(tls=TLS, public_url="https://MCP.example.com/mcp").own_names(8787)
    assert own.hosts == {b"mcp.example.com", b"mcp.example.com:443"}
    assert own.origins == {b"https://mcp.example.com", b"https://mcp.example.com:443"}


def test_a_server_for_this_machine_answers_to_the_names_of_this_machine() -> None:
    assert made("127.0.0.1").own_names(8787).hosts == {b"127.0.0.1:8787", b"localhost:8787", b"[::1]:8787"}
