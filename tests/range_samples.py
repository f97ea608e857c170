"""Documents of the shapes that providers publish, small, and networks of all kinds."""

from __future__ import annotations

import json

import netaddr  # type: ignore[import-untyped]  # it ships no types
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list import parse
from chekt_mcp.domain.published_ranges import PublishedList, read_ranges

GITHUB_META = b"""{
  "verifiable_password_authentication": false,
  "ssh_key_fingerprints": {"SHA256_ED25519": "EXAMPLE"},
  "ssh_keys": ["ssh-ed25519 EXAMPLE", "ssh-rsa EXAMPLE"],
  "hooks": ["192.30.252.0/22", "185.199.108.0/22", "2606:50c0::/32"],
  "web": ["192.30.252.0/22", "20.201.28.151/32"],
  "api": ["192.30.252.0/22"],
  "git": ["192.30.252.0/22"],
  "github_enterprise_importer": ["192.30.252.0/22"],
  "packages": ["140.82.121.33/32"],
  "pages": ["192.30.252.153/32"],
  "importer": ["52.23.85.212/32"],
  "actions": ["4.148.0.0/17", "4.148.128.0/17", "4.149.0.0/18", "2a01:111:f403:d91b::/64"],
  "actions_macos": ["13.105.117.0/24"],
  "dependabot": ["18.213.123.130/32"],
  "domains": {"website": ["*.github.com"], "actions_inbound": {"full_domains": ["github.com"]}}
}"""
CIRCLECI = b"""{"IPRanges": {
  "macOS": ["100.27.248.128/25", "38.23.42.0/24", "38.23.43.0/24"],
  "jobs": ["54.205.138.102", "3.228.39.90"],
  "core": ["34.197.216.176"]
}}"""
AWS = b"""{"syncToken": "1700000000", "createDate": "2026-01-01-00-00-00",
  "prefixes": [{"ip_prefix": "3.4.12.4/32", "region": "eu-west-1", "service": "AMAZON"}],
  "ipv6_prefixes": [{"ipv6_prefix": "2600:1f14::/35", "region": "us-west-2", "service": "EC2"}]}"""
GOOGLE = b"""{"syncToken": "1700000000000", "prefixes": [
  {"ipv4Prefix": "34.1.208.0/20", "service": "Google Cloud", "scope": "africa-south1"},
  {"ipv6Prefix": "2600:1900:8000::/44", "service": "Google Cloud", "scope": "africa-south1"}]}"""
WEB_PAGE = b"<!DOCTYPE html>\n<html><body>\n203.0.113.7\n</body></html>\n"


@st.composite
def networks(draw: st.DrawFn) -> str:
    width = draw(st.sampled_from([32, 128]))
    length = draw(st.integers(width // 4, width))
    number = draw(st.integers(0, (1 << length) - 1)) << (width - length)
    return f"{netaddr.IPAddress(number, 4 if width == 32 else 6)}/{length}"


def read(document: object, root: str = "") -> tuple[PublishedList, ...]:
    """Read a document given as bytes, or as a value to be written as JSON."""
    return read_ranges(document if isinstance(document, bytes) else json.dumps(document).encode(), root)


def networks_in(text: str) -> list[str]:
    """Return the networks of an allow list's text, which must be without errors."""
    parsed = parse(text)
    assert parsed.ok
    return [entry.network for entry in parsed.entries]
