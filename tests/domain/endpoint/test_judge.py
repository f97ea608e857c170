"""From an observation to findings: each once, in the order of the way in, and critical ones make unfit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chekt_mcp.domain.endpoint.certificate import CertificateFacts
from chekt_mcp.domain.endpoint.chain import Chain
from chekt_mcp.domain.endpoint.judge import findings, is_fit
from chekt_mcp.domain.endpoint.observation import Observation, OldTls, Reach
from chekt_mcp.domain.endpoint.response import Head

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOST = "hooks.example.com"
CERTIFICATE = CertificateFacts(
    subject="CN=x",
    issuer="CN=y",
    not_before=NOW - timedelta(days=9),
    not_after=NOW + timedelta(days=90),
    self_signed=False,
    dns_names=(HOST,),
    addresses=(),
    key="EC",
    key_bits=256,
    signature_hash="sha256",
)
GOOD = Observation(
    Reach.TLS,
    address="93.184.215.14",
    tls_version="TLSv1.3",
    certificate=CERTIFICATE,
    chain=Chain.TRUSTED,
    old_tls=OldTls(),
    response=Head(405),
)
EXPIRED = replace(CERTIFICATE, not_after=NOW - timedelta(days=1))


def codes(seen: Observation) -> list[str]:
    return [one.code.value for one in findings(seen, HOST, NOW)]


def test_an_endpoint_without_fault_is_fit() -> None:
    assert codes(GOOD) == []
    assert is_fit(findings(GOOD, HOST, NOW))


@pytest.mark.parametrize(
    ("reach", "code"),
    [
        (Reach.NOT_RESOLVED, "name_not_resolved"),
        (Reach.NOT_PUBLIC, "address_not_public"),
        (Reach.REFUSED, "unreachable"),
        (Reach.TIMED_OUT, "unreachable"),
        (Reach.NO_ROUTE, "unreachable"),
        (Reach.NO_TLS, "no_tls"),
        (Reach.HANDSHAKE_FAILED, "handshake_failed"),
    ],
)
def test_where_the_way_ends_is_told_and_makes_unfit(reach: Reach, code: str) -> None:
    seen = Observation(reach, not_public=("private",))
    assert codes(seen) == [code]
    assert not is_fit(findings(seen, HOST, NOW))


@pytest.mark.parametrize(
    ("chain", "code"),
    [
        (Chain.SELF_SIGNED, "self_signed"),
        (Chain.UNKNOWN_AUTHORITY, "chain_not_trusted"),
        (Chain.ISSUER_MISSING, "chain_not_trusted"),
        (Chain.WRONG_PURPOSE, "chain_not_trusted"),
        (Chain.BROKEN, "chain_not_trusted"),
        (Chain.EXPIRED, "chain_expired"),
        (Chain.WEAK, "weak_signature"),
    ],
)
def test_a_chain_that_fails_is_told_by_its_reason(chain: Chain, code: str) -> None:
    assert codes(replace(GOOD, chain=chain)) == [code]


@pytest.mark.parametrize("chain", [Chain.SELF_SIGNED, Chain.UNKNOWN_AUTHORITY, Chain.ISSUER_MISSING])
def test_an_internal_authority_is_told_the_platforms_way_out(chain: Chain) -> None:
    (finding,) = findings(replace(GOOD, chain=chain), HOST, NOW)
    assert "security@chekt.com" in finding.fix


def test_what_the_servers_own_certificate_explains_is_not_told_twice() -> None:
    assert codes(replace(GOOD, certificate=EXPIRED, chain=Chain.EXPIRED)) == ["certificate_expired"]
    weak = replace(CERTIFICATE, key="RSA", key_bits=1024)
    assert codes(replace(GOOD, certificate=weak, chain=Chain.WEAK)) == ["weak_key"]
    other = replace(CERTIFICATE, dns_names=("x.example.com",))
    assert codes(replace(GOOD, certificate=other, misnamed=True)) == ["name_mismatch"]


def test_a_name_that_the_verification_refuses_is_told_even_if_we_would_not() -> None:
    assert codes(replace(GOOD, misnamed=True)) == ["name_mismatch"]


def test_a_self_signed_certificate_is_called_so_whatever_the_chain_check_called_it() -> None:
    own = replace(CERTIFICATE, self_signed=True)
    assert codes(replace(GOOD, certificate=own, chain=Chain.BROKEN)) == ["self_signed"]
    assert codes(replace(GOOD, certificate=own, chain=Chain.TRUSTED)) == []


def test_a_certificate_that_cannot_be_read_is_told_with_its_chain() -> None:
    seen = replace(GOOD, certificate=None, chain=Chain.ISSUER_MISSING)
    assert codes(seen) == ["certificate_unreadable", "chain_not_trusted"]


def test_old_versions_beside_new_ones_are_a_warning() -> None:
    seen = replace(GOOD, old_tls=OldTls(offered=("TLS 1.0", "TLS 1.1")))
    (finding,) = findings(seen, HOST, NOW)
    assert (finding.code, finding.severity) == ("old_tls_offered", "warning")
    assert "TLS 1.0 and TLS 1.1" in finding.message
    assert is_fit([finding])


def test_old_versions_alone_make_unfit() -> None:
    seen = replace(GOOD, reach=Reach.TLS_TOO_OLD, chain=Chain.NOT_CHECKED, old_tls=OldTls(offered=("TLS 1.1",)))
    assert codes(seen) == ["tls_too_old"]


def test_what_could_not_be_tested_is_said() -> None:
    (finding,) = findings(replace(GOOD, old_tls=OldTls(untested=("TLS 1.0",))), HOST, NOW)
    assert (finding.code, finding.severity) == ("old_tls_not_tested", "info")
    assert "TLS 1.0" in finding.message
