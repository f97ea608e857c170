"""Looks at real servers on loopback: what is seen, what is sent, and what is never done."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from chekt_mcp.domain.endpoint.chain import Chain
from chekt_mcp.domain.endpoint.judge import findings
from chekt_mcp.domain.endpoint.observation import Observation, OldTls, Reach
from chekt_mcp.domain.endpoint.response import Head, NoHead
from chekt_mcp.domain.endpoint.url import read_url
from chekt_mcp.network.guard import AddressGuard
from chekt_mcp.network.look import Patience
from chekt_mcp.network.tls_contexts import TlsContexts, Trust, public_authorities
from chekt_mcp.network.tls_probe import TlsProbe
from chekt_mcp.wiring import endpoint_probe
from endpoint_certificates import HOST, IN_YEARS, Authority, Identity, self_signed, signed_with_sha1
from endpoint_servers import LOOPBACK, Resolver, identity_and_trust, probe, serving, speaking

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
YESTERYEAR, DISTANT = datetime(2021, 1, 1, tzinfo=UTC), datetime(2089, 1, 1, tzinfo=UTC)  # for OpenSSL's own clock
V = ssl.TLSVersion
OLD_TLS_HERE = TlsContexts().old(V.TLSv1_1) is not None


def codes(seen: Observation, host: str = HOST, now: datetime = NOW) -> list[str]:
    return [one.code.value for one in findings(seen, host, now)]


async def look_at(identity: Identity, trust: Trust, folder: Path, host: str = HOST) -> Observation:
    with serving(identity.context(folder)) as server:
        seen = await probe(trust).look(read_url(server.url(host=host)))
        assert bool(server.requests) is isinstance(seen.response, Head)
    return seen


async def test_a_good_endpoint_is_seen_whole(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    with serving(identity.context(tmp_path)) as server:
        seen = await probe(trust).look(read_url(server.url("/chekt?a=b")))
    assert (seen.reach, seen.address, seen.tls_version) == (Reach.TLS, LOOPBACK, "TLSv1.3")
    assert (seen.chain, seen.old_tls, seen.response) == (Chain.TRUSTED, OldTls(), Head(204))
    assert seen.certificate is not None
    assert seen.certificate.dns_names == (HOST,)
    assert codes(seen) == []
    (request,) = server.requests
    assert request.startswith(b"HEAD /chekt?a=b HTTP/1.1\r\nHost: " + f"{HOST}:{server.port}".encode() + b"\r\n")
    assert request.endswith(b"\r\n\r\n")


async def test_a_chain_with_an_intermediate_is_trusted_when_it_is_sent(tmp_path: Path) -> None:
    root = Authority()
    middle = Authority("Intermediate", root)
    assert codes(await look_at(middle.issue(HOST), root.trusted, tmp_path)) == []
    cut = await look_at(middle.issue(HOST, send_chain=False), root.trusted, tmp_path)
    assert (cut.chain, codes(cut)) == (Chain.ISSUER_MISSING, ["chain_not_trusted"])


async def test_an_expired_certificate(tmp_path: Path) -> None:
    authority = Authority()
    seen = await look_at(authority.issue(HOST, not_after=YESTERYEAR), authority.trusted, tmp_path)
    assert codes(seen) == ["certificate_expired"]
    assert seen.certificate is not None


async def test_a_certificate_that_is_not_yet_valid(tmp_path: Path) -> None:
    authority = Authority()
    seen = await look_at(authority.issue(HOST, not_before=DISTANT), authority.trusted, tmp_path)
    assert codes(seen) == ["certificate_not_yet_valid"]


async def test_a_certificate_that_expires_soon_is_fit_with_a_warning(tmp_path: Path) -> None:
    authority = Authority()
    seen = await look_at(authority.issue(HOST), authority.trusted, tmp_path)
    assert codes(seen, now=IN_YEARS - timedelta(days=20)) == ["certificate_expires_soon"]
    assert seen.response == Head(204)


async def test_an_expired_intermediate(tmp_path: Path) -> None:
    root = Authority()
    middle = Authority("Intermediate", root, not_after=YESTERYEAR)
    assert codes(await look_at(middle.issue(HOST), root.trusted, tmp_path)) == ["chain_expired"]


async def test_a_self_signed_certificate(tmp_path: Path) -> None:
    seen = await look_at(self_signed(HOST), Authority().trusted, tmp_path)
    assert codes(seen) == ["self_signed"]
    assert seen.certificate is not None
    assert seen.certificate.self_signed


async def test_an_internal_authority(tmp_path: Path) -> None:
    internal = Authority("Internal")
    leaf = internal.issue(HOST)
    with_root = Identity(leaf.chain + internal.certificate_pem(), leaf.key)
    assert codes(await look_at(with_root, Authority().trusted, tmp_path)) == ["chain_not_trusted"]
    assert codes(await look_at(leaf, Authority().trusted, tmp_path)) == ["chain_not_trusted"]


async def test_nothing_but_public_authorities_is_trusted_unless_a_test_passes_them_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    bundle = tmp_path / "trust.pem"
    bundle.write_bytes(authority.certificate_pem())
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(bundle))
    seen = await look_at(authority.issue(HOST), public_authorities, tmp_path)
    assert codes(seen) == ["chain_not_trusted"]


async def test_a_wrong_name(tmp_path: Path) -> None:
    authority = Authority()
    seen = await look_at(authority.issue("other.example.com"), authority.trusted, tmp_path)
    assert (codes(seen), seen.misnamed) == (["name_mismatch"], True)


async def test_a_common_name_alone_is_a_wrong_name(tmp_path: Path) -> None:
    authority = Authority()
    seen = await look_at(authority.issue(HOST, alternative_names=False), authority.trusted, tmp_path)
    assert codes(seen) == ["name_mismatch"]


async def test_an_address_in_the_url_needs_a_certificate_for_that_address(tmp_path: Path) -> None:
    authority = Authority()
    good = await look_at(authority.issue(LOOPBACK), authority.trusted, tmp_path, host=LOOPBACK)
    wrong = await look_at(authority.issue(HOST), authority.trusted, tmp_path, host=LOOPBACK)
    assert codes(good, LOOPBACK) == []
    assert codes(wrong, LOOPBACK) == ["name_mismatch"]


async def test_expired_self_signed_and_misnamed_are_all_told(tmp_path: Path) -> None:
    seen = await look_at(self_signed("x.example.com", not_after=YESTERYEAR), Authority().trusted, tmp_path)
    assert codes(seen) == ["certificate_expired", "name_mismatch", "self_signed"]


async def test_a_weak_key(tmp_path: Path) -> None:
    authority = Authority()
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 -- the weakness to find
    assert codes(await look_at(authority.issue(HOST, key=weak), authority.trusted, tmp_path)) == ["weak_key"]


async def test_a_weak_signature(tmp_path: Path) -> None:
    authority = Authority(key=rsa.generate_private_key(65537, 2048))
    forgeable = signed_with_sha1(authority.issue(HOST), authority)
    assert codes(await look_at(forgeable, authority.trusted, tmp_path)) == ["weak_signature"]


async def test_a_certificate_that_is_not_for_servers(tmp_path: Path) -> None:
    authority = Authority()
    client = authority.issue(HOST, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert codes(await look_at(client, authority.trusted, tmp_path)) == ["chain_not_trusted"]


async def test_a_server_with_tls_1_2_alone_is_fit(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    with serving(speaking(identity, tmp_path, V.TLSv1_2, up_to=V.TLSv1_2)) as server:
        seen = await probe(trust).look(read_url(server.url()))
    assert (seen.tls_version, codes(seen)) == ("TLSv1.2", [])


@pytest.mark.skipif(not OLD_TLS_HERE, reason="the local OpenSSL speaks no TLS 1.1")
async def test_old_versions_beside_new_ones_are_found(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    with serving(speaking(identity, tmp_path, V.TLSv1_1, up_to=V.TLSv1_3)) as server:
        seen = await probe(trust).look(read_url(server.url()))
    assert (seen.tls_version, seen.old_tls) == ("TLSv1.3", OldTls(offered=("TLS 1.1",)))
    assert codes(seen) == ["old_tls_offered"]
    assert len(server.requests) == 1


@pytest.mark.skipif(not OLD_TLS_HERE, reason="the local OpenSSL speaks no TLS 1.1")
@pytest.mark.parametrize(("version", "spoken"), [(V.TLSv1, "TLSv1"), (V.TLSv1_1, "TLSv1.1")])
async def test_a_server_of_the_past_is_named_and_sent_nothing(
    tmp_path: Path, version: ssl.TLSVersion, spoken: str
) -> None:
    identity, trust = identity_and_trust()
    with serving(speaking(identity, tmp_path, version, up_to=version)) as server:
        seen = await probe(trust).look(read_url(server.url()))
    assert (seen.reach, seen.tls_version, codes(seen)) == (Reach.TLS_TOO_OLD, spoken, ["tls_too_old"])
    assert seen.certificate is not None
    assert server.requests == []


async def test_what_the_local_openssl_cannot_speak_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "HAS_TLSv1", False)
    monkeypatch.setattr(ssl, "HAS_TLSv1_1", False)
    identity, trust = identity_and_trust()
    seen = await look_at(identity, trust, tmp_path)
    assert seen.old_tls == OldTls(untested=("TLS 1.0", "TLS 1.1"))
    assert codes(seen) == ["old_tls_not_tested"]


async def test_plain_http_on_the_port() -> None:
    with serving(None, b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        seen = await probe().look(read_url(server.url()))
    assert (seen.reach, codes(seen)) == (Reach.NO_TLS, ["no_tls"])
    assert not any(b"HEAD" in request for request in server.requests)


async def test_a_port_that_closes_without_a_word() -> None:
    with serving(None, b"") as server:
        seen = await probe().look(read_url(server.url()))
    assert codes(seen) == ["handshake_failed"]


async def test_a_port_that_never_answers_costs_no_more_than_the_limit() -> None:
    patience = Patience(connect=0.1, answer=0.1, whole=0.3)
    with serving(None, None) as server:
        before = asyncio.get_running_loop().time()
        seen = await probe(patience=patience).look(read_url(server.url()))
        spent = asyncio.get_running_loop().time() - before
    assert codes(seen) == ["handshake_failed"]
    assert spent < 1


async def test_the_whole_look_has_a_limit_of_its_own(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    with serving(identity.context(tmp_path), None) as server:
        seen = await probe(trust, patience=Patience(connect=5, answer=60, whole=0.3)).look(read_url(server.url()))
    assert seen.response is NoHead.SILENT
    assert seen.old_tls == OldTls(untested=("TLS 1.0", "TLS 1.1"))


async def test_a_port_where_nobody_listens() -> None:
    with serving(None) as server:
        pass
    seen = await probe().look(read_url(server.url()))
    assert (seen.reach, seen.address, codes(seen)) == (Reach.REFUSED, LOOPBACK, ["unreachable"])


async def test_a_name_that_never_resolves_costs_no_more_than_the_limit() -> None:
    class Hanging(Resolver):
        async def __call__(self, host: str) -> list[str]:
            await asyncio.Event().wait()
            return [host]

    seen = await probe(resolver=Hanging([]), patience=Patience(connect=0.05)).look(read_url(f"https://{HOST}/"))
    assert codes(seen) == ["name_not_resolved"]


ANSWERS = [
    (b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\n\r\n", Head(405)),
    (b"HTTP/1.1 301 Moved\r\nLocation: https://new.example.com/\r\n\r\n", Head(301, "https://new.example.com/")),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Head(200)),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", NoHead.TOO_LARGE),
    (b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, NoHead.TOO_LARGE),
    (b"HTTP/1.1 200 OK\r\nX: never", NoHead.CLOSED),
    (b"SSH-2.0-OpenSSH_9.6\r\n", NoHead.NOT_HTTP),
    (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", NoHead.NOT_HTTP),
    (None, NoHead.SILENT),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS, ids=lambda value: str(value)[:40])
async def test_of_an_answer_only_the_head_is_taken(
    tmp_path: Path, answer: bytes | None, expected: Head | NoHead
) -> None:
    identity, trust = identity_and_trust()
    with serving(identity.context(tmp_path), answer) as server:
        assert (await probe(trust).look(read_url(server.url()))).response == expected
    assert len(server.requests) == 1


async def test_a_redirect_is_named_and_not_followed(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    with serving(None) as elsewhere:
        answer = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\n\r\n".encode()
        with serving(identity.context(tmp_path), answer) as server:
            seen = await probe(trust).look(read_url(server.url()))
        assert elsewhere.connections == 0
    assert codes(seen) == ["redirects"]


async def test_a_body_is_neither_kept_nor_waited_for(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nSECRET BODY"
    with serving(identity.context(tmp_path), answer) as server:
        seen = await probe(trust).look(read_url(server.url()))
    assert seen.response == Head(200)
    assert "SECRET" not in repr(seen)


async def test_a_server_that_asks_for_a_client_certificate(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    context = identity.context(tmp_path)
    Authority().trusted(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(context) as server:
        seen = await probe(trust).look(read_url(server.url()))
    assert codes(seen) == ["client_certificate_asked"]


async def test_a_server_that_presents_another_site_without_sni_is_asked_with_sni(tmp_path: Path) -> None:
    authority = Authority()
    fallback = authority.issue("default.example.com").context(tmp_path)
    own, asked = authority.issue(HOST).context(tmp_path), list[str | None]()

    def choose(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        asked.append(name)
        connection.context = own

    fallback.sni_callback = choose
    with serving(fallback) as server:
        seen = await probe(authority.trusted).look(read_url(server.url()))
    assert codes(seen) == []
    assert set(asked) == {HOST}


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        [LOOPBACK, "192.168.0.1"],
        ["192.168.0.1", LOOPBACK],
        [LOOPBACK, "::ffff:127.0.0.1"],
        [LOOPBACK, "64:ff9b::7f00:1"],
        [LOOPBACK, "2002:7f00:1::"],
    ],
)
async def test_one_address_off_the_internet_and_nothing_is_contacted(tmp_path: Path, addresses: list[str]) -> None:
    identity, trust = identity_and_trust()
    with serving(identity.context(tmp_path)) as server:
        seen = await probe(trust, Resolver(addresses)).look(read_url(server.url()))
        assert server.connections == 0
    assert (seen.reach, seen.address, codes(seen)) == (Reach.NOT_PUBLIC, None, ["address_not_public"])


async def test_a_second_answer_of_the_dns_is_never_asked_for(tmp_path: Path) -> None:
    resolver = Resolver([LOOPBACK], ["10.0.0.1"], ["169.254.169.254"])
    with serving(self_signed(HOST).context(tmp_path)) as server:
        seen = await probe(Authority().trusted, resolver).look(read_url(server.url()))
    assert resolver.asked == [HOST]
    assert (seen.address, codes(seen)) == (LOOPBACK, ["self_signed"])
    assert server.connections > 1


async def test_the_probe_as_it_is_wired_contacts_no_loopback(tmp_path: Path) -> None:
    identity, _ = identity_and_trust(LOOPBACK)
    with serving(identity.context(tmp_path)) as server:
        for host in (LOOPBACK, "[::1]", "[::ffff:127.0.0.1]"):
            seen = await endpoint_probe().look(read_url(server.url(host=host)))
            assert seen.reach is Reach.NOT_PUBLIC
        assert server.connections == 0


async def test_a_name_with_a_dead_first_family_is_looked_at_through_the_other(tmp_path: Path) -> None:
    identity, trust = identity_and_trust()
    both = AddressGuard(Resolver(["::1", LOOPBACK]), lambda _: None)
    with serving(identity.context(tmp_path)) as server:
        seen = await TlsProbe(both, trust).look(read_url(server.url()))
    assert (seen.address, codes(seen)) == (LOOPBACK, [])
