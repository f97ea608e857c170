from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chekt_mcp.domain.allow_list import (
    Finding,
    FindingSettings,
    Severity,
    covered_share,
    covers_everything,
    findings,
    parse,
)
from chekt_mcp.domain.allow_list.finding import LISTED
from chekt_mcp.domain.app import Environment

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PUBLIC = "8.8.8.8"


def found(text: str, **more: Any) -> tuple[Finding, ...]:
    parsed = parse(text)
    assert parsed.ok, parsed.errors
    facts: dict[str, Any] = {
        "environment": Environment.LIVE,
        "last_matched": None,
        "now": NOW,
        "settings": FindingSettings(),
    }
    return findings(parsed.entries, **(facts | more))


def codes(text: str, **more: Any) -> list[str]:
    return [finding.code for finding in found(text, **more)]


def the(code: str, text: str, **more: Any) -> Finding:
    (finding,) = [finding for finding in found(text, **more) if finding.code == code]
    return finding


def test_a_tidy_list_of_a_production_app_has_no_findings() -> None:
    assert found("8.8.8.8 # NAT gateway\n9.9.9.0/24\n2620:fe::/48") == ()


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("0.0.0.0/0", ("0.0.0.0/0",)),
        ("::/0", ("::/0",)),
        ("::ffff:0:0/96", ("0.0.0.0/0",)),
        ("2000::/3", ("2000::/3",)),
        ("8.8.8.8, 0.0.0.0/0", ("0.0.0.0/0",)),
        ("0.0.0.0/1, 128.0.0.0/1", ("0.0.0.0/1", "128.0.0.0/1")),
        ("128.0.0.0/2, 192.0.0.0/3, 0.0.0.0/1", ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3")),
        ("2000::/4, 3000::/4", ("2000::/4", "3000::/4")),
    ],
)
def test_a_list_that_lets_everyone_in_is_critical_alone_or_together(text: str, entries: tuple[str, ...]) -> None:
    finding = the("covers_everything", text)

    assert (finding.severity, finding.entries) == (Severity.CRITICAL, entries)
    assert "restricts nothing" in finding.message


def test_all_public_blocks_together_cover_everything_though_private_ones_are_missing() -> None:
    blocks = "\n".join(f"{first}.0.0.0/8" for first in range(1, 224) if first not in {10, 127})

    finding = the("covers_everything", blocks)
    assert len(finding.entries) == LISTED
    assert "1.0.0.0/8, 2.0.0.0/8 and 219 more" in finding.message


def test_everything_but_one_address_does_not_cover_everything_but_is_critical_as_well() -> None:
    holes = ipaddress.IPv4Network("0.0.0.0/0").address_exclude(ipaddress.IPv4Network("8.8.8.8/32"))
    text = "\n".join(map(str, holes))

    assert not covers_everything(parse(text).entries)
    finding = the("covers_most", text)
    assert finding.severity == Severity.CRITICAL
    assert "99%" in finding.message


def test_coverage_is_asked_for_by_ip_version() -> None:
    entries = parse("0.0.0.0/0, 2001:db8::/32").entries

    assert covers_everything(entries)
    assert covers_everything(entries, 4)
    assert not covers_everything(entries, 6)
    assert not covers_everything(())
    assert covered_share((), 4) == 0.0


def test_broad_entries_are_told_by_the_setting() -> None:
    text = "8.0.0.0/15, 9.0.0.0/16, 2600::/31, 2a00::/48"

    assert the("very_broad", text).entries == ("8.0.0.0/15", "2600::/31")
    assert "very_broad" not in codes(text, settings=FindingSettings(broad_prefix_v4=15, broad_prefix_v6=31))


def test_ipv6_broader_than_a_site_is_told_by_the_setting() -> None:
    text = "2600::/47, 2a00::/48, 8.0.0.0/16"

    finding = the("ipv6_broader_than_site", text)
    assert (finding.severity, finding.entries) == (Severity.INFO, ("2600::/47",))
    assert "ipv6_broader_than_site" not in codes(text, settings=FindingSettings(site_prefix_v6=40))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("10.1.2.3", "private"),
        ("172.31.0.0/16", "private"),
        ("192.168.0.0/16", "private"),
        ("fd00::/8", "private"),
        ("100.64.1.1", "shared"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::/64", "link-local"),
        ("203.0.113.42", "documentation"),
        ("2001:db8::/32", "documentation"),
        ("3fff::1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("0.0.0.0", "reserved"),  # noqa: S104 -- nothing binds to it
        ("255.255.255.255", "reserved"),
        ("::", "reserved"),
        ("::/96", "reserved"),
        ("198.18.0.0/15", "reserved"),
        ("64:ff9b::8.8.8.8", "reserved"),
        ("4000::/3", "reserved"),
        ("::ffff:10.0.0.1", "private"),
    ],
)
def test_an_entry_that_no_internet_request_can_match_is_told_with_its_kind(text: str, kind: str) -> None:
    finding = the("never_matches_internet", text)

    assert finding.severity == Severity.WARNING
    assert f"({kind} addresses)" in finding.message


@pytest.mark.parametrize("text", [PUBLIC, "1.0.0.0", "223.255.255.255", "2000::", "2620:fe::9", "10.0.0.0/7", "::/2"])
def test_an_entry_with_any_public_address_can_match(text: str) -> None:
    assert "never_matches_internet" not in codes(text)


def test_ranges_that_a_provider_shares_among_its_customers_are_told_by_their_comment() -> None:
    mark = "github actions, from https://api.github.com/meta at 2026-05-01T12:00:00Z: shared by all its customers"
    finding = the("shared_by_all_customers", f"# {mark}\n4.148.0.0/16\n4.149.0.0/18 # {mark}\n\n8.8.8.8 # ours")

    assert (finding.severity, finding.entries) == (Severity.WARNING, ("4.148.0.0/16", "4.149.0.0/18"))
    assert "whoever rents there" in finding.message.lower()
    assert "github" not in finding.message


def test_duplicates_are_found_in_any_notation_with_their_lines() -> None:
    text = "9.9.9.9\n2620:fe::fe\n9.9.9.9/32 # again\n::ffff:9.9.9.9\n2620:00FE:0::00fe/128"

    one, other = (finding for finding in found(text) if finding.code == "duplicate")
    assert one.entries == ("9.9.9.9/32",)
    assert "3 times (lines 1, 3 and 4)" in one.message
    assert other.entries == ("2620:fe::fe/128",)
    assert "overlap" not in codes(text)


def test_an_entry_within_another_is_an_overlap() -> None:
    finding = the("overlap", "9.9.9.9\n9.9.9.0/24\n9.9.9.0/25\n9.9.8.0/24\n9.9.9.9/32")

    assert finding.entries == ("9.9.9.0/24", "9.9.9.0/25", "9.9.9.9/32")
    assert finding.severity == Severity.INFO


def test_neighbours_that_make_one_network_are_mergeable() -> None:
    finding = the("mergeable", "9.9.9.128/25\n9.9.9.0/26\n9.9.9.64/26\n9.9.9.5")

    assert finding.entries == ("9.9.9.0/26", "9.9.9.64/26", "9.9.9.128/25")
    assert "9.9.9.0/24 means the same" in finding.message


def test_neighbours_that_are_not_two_halves_of_one_network_are_left_alone() -> None:
    assert "mergeable" not in codes("9.9.9.1\n9.9.9.2\n9.9.10.0/24\n9.9.9.0/25")


def test_merging_is_never_advised_where_it_would_write_a_huge_network() -> None:
    assert "mergeable" not in codes("0.0.0.0/1, 128.0.0.0/1")
    assert "mergeable" not in codes("8.0.0.0/8, 9.0.0.0/8")


def test_an_entry_without_traffic_for_so_long_is_stale() -> None:
    days = timedelta(days=90)
    seen = {
        "9.9.9.1/32": NOW - days + timedelta(seconds=1),
        "9.9.9.2/32": NOW - days,
    }

    finding = the("stale", "9.9.9.1\n9.9.9.2\n9.9.9.3", last_matched=seen)
    assert finding.entries == ("9.9.9.2/32", "9.9.9.3/32")
    assert "90 days" in finding.message
    assert "stale" not in codes("9.9.9.1", last_matched=seen)


def test_nothing_is_stale_when_traffic_is_not_known() -> None:
    assert "stale" not in codes("9.9.9.9", last_matched=None)


def test_nothing_is_stale_for_longer_than_requests_were_watched() -> None:
    days = timedelta(days=90)

    assert "stale" not in codes("9.9.9.9", last_matched={}, observed_since=NOW - days + timedelta(seconds=1))
    assert "stale" in codes("9.9.9.9", last_matched={}, observed_since=NOW - days)


def test_advice_follows_the_kind_of_app() -> None:
    assert codes("") == ["live_app_without_list"]
    assert codes("", environment=Environment.TEST) == []
    assert codes(PUBLIC, environment=Environment.TEST) == ["test_app_with_list"]


def test_many_single_addresses_look_like_short_lived_workers() -> None:
    workers = "\n".join(f"8.8.{number}.1" for number in range(100))

    finding = the("many_single_addresses", workers)
    assert finding.severity == Severity.INFO
    assert "rotating the key" in finding.message
    assert "many_single_addresses" not in codes(workers.removesuffix("\n8.8.99.1"))


def test_the_worst_comes_first() -> None:
    severities = [finding.severity for finding in found("9.9.9.9\n9.9.9.9\n10.0.0.1\n::/0")]

    assert severities[0] == Severity.CRITICAL
    assert severities == sorted(severities, key=["critical", "warning", "info"].index)


def test_a_huge_list_gives_a_bounded_answer_that_counts_what_it_leaves_out() -> None:
    text = "\n".join(f"8.{n >> 7 & 255}.{n & 127}.{last}" for n in range(3000) for last in (2, 3, 3))

    answer = found(text, last_matched={})
    pairs = [finding for finding in answer if finding.code == "mergeable"]
    assert len(pairs) == LISTED + 1
    assert pairs[-1].entries == ()
    assert pairs[-1].message.startswith("2,980 more")
    assert max(len(finding.entries) for finding in answer) <= LISTED
    assert len(answer) < 60


def test_no_comment_gets_into_a_message() -> None:
    for finding in found("0.0.0.0/0 # SECRETS\n10.0.0.1 # SECRETS\n10.0.0.1 # SECRETS", last_matched={}):
        assert "SECRETS" not in finding.message
