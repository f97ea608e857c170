"""A certificate is judged by its own dates, names and strength, at the moment that is passed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chekt_mcp.domain.allow_list.finding import Severity
from chekt_mcp.domain.endpoint.certificate import CertificateFacts, certificate_findings, names_host

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
GOOD = CertificateFacts(
    subject="CN=hooks.example.com",
    issuer="CN=Some Authority",
    not_before=NOW - timedelta(days=30),
    not_after=NOW + timedelta(days=60),
    self_signed=False,
    dns_names=("hooks.example.com", "*.api.example.com"),
    addresses=("93.184.215.14", "2606:2800:21f::1"),
    key="EC",
    key_bits=256,
    signature_hash="sha256",
)
DAY = timedelta(days=1)


def found(facts: CertificateFacts, host: str = "hooks.example.com") -> list[tuple[str, Severity]]:
    return [(one.code.value, one.severity) for one in certificate_findings(facts, host, NOW)]


def test_a_good_certificate_has_no_findings() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"not_after": NOW - timedelta(seconds=1)}, [("certificate_expired", Severity.CRITICAL)]),
        ({"not_after": NOW}, [("certificate_expires_soon", Severity.WARNING)]),
        ({"not_after": NOW + 21 * DAY - timedelta(seconds=1)}, [("certificate_expires_soon", Severity.WARNING)]),
        ({"not_after": NOW + 21 * DAY}, []),
        ({"not_before": NOW + timedelta(seconds=1)}, [("certificate_not_yet_valid", Severity.CRITICAL)]),
        ({"not_before": NOW}, []),
        ({"dns_names": ("other.example.com",)}, [("name_mismatch", Severity.CRITICAL)]),
        ({"dns_names": (), "addresses": ()}, [("name_mismatch", Severity.CRITICAL)]),
        ({"key": "RSA", "key_bits": 2048}, []),
        ({"key": "RSA", "key_bits": 2047}, [("weak_key", Severity.CRITICAL)]),
        ({"key": "EC", "key_bits": 224}, [("weak_key", Severity.CRITICAL)]),
        ({"key": "DSA", "key_bits": 2048}, [("weak_key", Severity.CRITICAL)]),
        ({"key": "Ed25519", "key_bits": 0, "signature_hash": None}, []),
        ({"signature_hash": "sha1"}, [("weak_signature", Severity.CRITICAL)]),
        ({"signature_hash": "md5"}, [("weak_signature", Severity.CRITICAL)]),
        ({"signature_hash": "sha384"}, []),
    ],
)
def test_each_fault_is_found_to_the_second_and_to_the_bit(
    changes: dict[str, object], expected: list[tuple[str, Severity]]
) -> None:
    assert found(replace(GOOD, **changes)) == expected  # type: ignore[arg-type]  # field names of the table above


def test_all_faults_are_told_at_once() -> None:
    bad = replace(GOOD, not_after=NOW - DAY, dns_names=("x.example.com",), key="RSA", key_bits=1024)
    assert [code for code, _ in found(bad)] == ["certificate_expired", "name_mismatch", "weak_key"]


def test_a_common_name_alone_counts_for_nothing_and_that_is_said() -> None:
    (finding,) = certificate_findings(replace(GOOD, dns_names=(), addresses=()), "hooks.example.com", NOW)
    assert "common name" in finding.message


@pytest.mark.parametrize(
    ("host", "is_named"),
    [
        ("hooks.example.com", True),
        ("example.com", False),
        ("x.hooks.example.com", False),
        ("a.api.example.com", True),
        ("a.b.api.example.com", False),
        ("api.example.com", False),
        ("93.184.215.14", True),
        ("93.184.215.15", False),
        ("2606:2800:21f:0::1", True),
        ("2606:2800:21f::2", False),
    ],
)
def test_a_star_stands_for_one_whole_first_label(host: str, is_named: bool) -> None:  # noqa: FBT001 -- a table's column
    assert names_host(GOOD, host) is is_named


@pytest.mark.parametrize("name", ["*.com", "*", "h*.example.com", "hooks.*.com", "*.*.com"])
def test_a_star_elsewhere_stands_for_nothing(name: str) -> None:
    assert not names_host(replace(GOOD, dns_names=(name,)), "hooks.example.com")
    assert not names_host(replace(GOOD, dns_names=(name,)), "example.com")


def test_names_are_compared_in_any_case() -> None:
    assert names_host(replace(GOOD, dns_names=("HOOKS.Example.com.",)), "hooks.example.com")


def test_an_address_as_a_dns_name_counts_for_nothing() -> None:
    assert not names_host(replace(GOOD, dns_names=("93.184.215.15",)), "93.184.215.15")
