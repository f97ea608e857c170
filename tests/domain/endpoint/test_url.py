"""The URL of an endpoint: read alike by everyone or not at all, and unfit before anything is contacted."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list.finding import Severity
from chekt_mcp.domain.endpoint.url import EndpointUrl, read_url, url_findings
from chekt_mcp.errors import InvalidInput


def codes(text: str) -> list[str]:
    found = list(url_findings(read_url(text)))
    assert all(one.severity is Severity.CRITICAL and one.message and one.fix for one in found)
    return [one.code.value for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://hooks.example.com", EndpointUrl("https", "hooks.example.com", 443, "/")),
        ("HTTPS://Hooks.Example.COM./A?b=C", EndpointUrl("https", "hooks.example.com", 443, "/A?b=C")),
        ("https://hooks.example.com:8443/a/%7Eb", EndpointUrl("https", "hooks.example.com", 8443, "/a/%7Eb")),
        ("https://hooks.example.com:?x", EndpointUrl("https", "hooks.example.com", 443, "/?x")),
        ("https://93.184.215.14/", EndpointUrl("https", "93.184.215.14", 443, "/")),
        ("https://[2606:2800:21F::1]:8443/", EndpointUrl("https", "2606:2800:21f::1", 8443, "/")),
        ("https://xn--bcher-kva.example.com/", EndpointUrl("https", "xn--bcher-kva.example.com", 443, "/")),
        ("http://hooks.example.com/", EndpointUrl("http", "hooks.example.com", 80, "/")),
        ("https://a:b@hooks.example.com/", EndpointUrl("https", "hooks.example.com", 443, "/", has_credentials=True)),
    ],
)
def test_a_url_is_read_in_parts(text: str, expected: EndpointUrl) -> None:
    assert read_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hooks.example.com",
        "https:/hooks.example.com/",
        "https:///path",
        " https://hooks.example.com/",
        "https://hooks.example.com/\n",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\t",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:٤٤٣/",
        "https://hooks.example.com:443:443/",
        "https://bücher.example.com/",
        "https://hooks..example.com/",
        "https://-hooks.example.com/",
        "https://hooks_1.example.com/",
        "https://" + "a" * 64 + ".example.com/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.0x1/",
        "https://0177.0.0.1/",
        "https://example.1/",
        "https://[127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://a@b@hooks.example.com/",
        "https://]@hooks.example.com/",
        "https://hooks.example.com/%zz",
        "https://hooks.example.com/" + "x" * 2048,
    ],
    ids=ascii,
)
def test_what_programs_read_differently_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_url(text)
    assert (refused.value.code, refused.value.field) == ("bad_url", "url")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://hooks.example.com/", []),
        ("https://hooks.example.com:8443/", []),
        ("http://hooks.example.com/", ["not_https"]),
        ("ftp://hooks.example.com/", ["not_https"]),
        ("https://user@hooks.example.com/", ["credentials_in_url"]),
        ("https://@hooks.example.com/", ["credentials_in_url"]),
        ("https://hooks.example.com:22/", ["port_not_looked_at"]),
        ("https://localhost/", ["local_name"]),
        ("https://printer/", ["local_name"]),
        ("https://nas.local/", ["local_name"]),
        ("https://vault.corp.internal/", ["local_name"]),
        ("http://user:word@localhost/", ["not_https", "credentials_in_url", "local_name"]),
        ("https://[::1]/", []),  # an address is for the guard to judge
    ],
)
def test_a_url_is_unfit_for_every_reason_at_once(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_credentials_are_neither_kept_nor_told() -> None:
    url = read_url("https://someone:EXAMPLEword@hooks.example.com/")
    assert "EXAMPLEword" not in repr(url) + repr(list(url_findings(url)))


def test_the_host_header_names_the_port_unless_it_is_https_own() -> None:
    assert read_url("https://hooks.example.com/").authority == "hooks.example.com"
    assert read_url("https://hooks.example.com:8443/").authority == "hooks.example.com:8443"
    assert read_url("https://[2606:2800::1]:8443/").authority == "[2606:2800::1]:8443"


@given(st.text(alphabet="htps:/@[].%#?\\ 0123456789abxé\n\t-_", max_size=40))
def test_no_url_is_read_with_another_host_than_the_standard_library_reads(tail: str) -> None:
    text = "https://" + tail
    try:
        url = read_url(text)
    except InvalidInput:
        return
    other = urlsplit(text)
    assert (other.hostname or "").removesuffix(".") == url.host
    assert (other.port or 443) == url.port
    assert url.target.isascii()
    assert not set(url.target) & set(" \r\n\t")
