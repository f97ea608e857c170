"""From what was seen of an endpoint to what is to be mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from chekt_mcp.domain.allow_list.finding import Severity
from chekt_mcp.domain.endpoint.certificate import certificate_findings
from chekt_mcp.domain.endpoint.chain import Chain, chain_finding
from chekt_mcp.domain.endpoint.finding import Code, Finding, critical, warning
from chekt_mcp.domain.endpoint.observation import Observation, OldTls, Reach
from chekt_mcp.domain.endpoint.response import response_findings

_CERTIFICATE_SEEN = frozenset((Reach.TLS, Reach.TLS_TOO_OLD))


_EXPLAINED_BY = {
    Chain.EXPIRED: {Code.CERTIFICATE_EXPIRED, Code.CERTIFICATE_NOT_YET_VALID},
    Chain.WEAK: {Code.WEAK_KEY, Code.WEAK_SIGNATURE},
}
"""What OpenSSL says of the chain and means the server's own certificate, which is the end of it."""
_UNREADABLE = critical(
    Code.CERTIFICATE_UNREADABLE,
    "The server's certificate cannot be read.",
    "Check again; if it stays so, have it issued anew (`openssl x509 -text` tells what is wrong with it).",
)


def findings(seen: Observation, host: str, now: datetime) -> list[Finding]:
    """Return everything there is to say about an endpoint, in the order it was met on the way in."""
    found = [*_reach_findings(seen)]
    if seen.reach in _CERTIFICATE_SEEN:
        found += _certificate_findings(seen, host, now)
    found += _old_tls_findings(seen)
    found += response_findings(seen.response)
    return found


def is_fit(found: Iterable[Finding]) -> bool:
    """Tell whether nothing stands in the way of deliveries."""
    return all(one.severity is not Severity.CRITICAL for one in found)


def _reach_findings(seen: Observation) -> Iterator[Finding]:
    if seen.reach is Reach.NOT_PUBLIC:
        yield _not_public(seen.not_public)
    elif seen.reach in _REACH:
        yield _REACH[seen.reach]


def _certificate_findings(seen: Observation, host: str, now: datetime) -> Iterator[Finding]:
    facts = seen.certificate
    own = list(certificate_findings(facts, host, now)) if facts else [_UNREADABLE]
    told = {one.code for one in own}
    yield from own
    if seen.misnamed and Code.NAME_MISMATCH not in told:
        yield critical(Code.NAME_MISMATCH, "The certificate is not for this host.", "Have one issued for it.")
    self_signed = facts is not None and facts.self_signed and seen.chain is not Chain.TRUSTED
    chain = Chain.SELF_SIGNED if self_signed else seen.chain
    if not told & _EXPLAINED_BY.get(chain, set()) and (finding := chain_finding(chain)):
        yield finding


def _old_tls_findings(seen: Observation) -> Iterator[Finding]:
    old = seen.old_tls or OldTls()
    if old.offered and seen.reach is not Reach.TLS_TOO_OLD:
        yield warning(
            Code.OLD_TLS_OFFERED,
            f"The server also takes {' and '.join(old.offered)}, which are deprecated (RFC 8996).",
            "Switch them off; CHeKT uses TLS 1.2 or higher.",
        )
    if old.untested:
        yield Finding(
            Code.OLD_TLS_NOT_TESTED,
            Severity.INFO,
            f"Whether the server also takes {' or '.join(old.untested)} could not be tested from here.",
            "Look at the server's configuration.",
        )


def _not_public(kinds: Iterable[str]) -> Finding:
    return critical(
        Code.ADDRESS_NOT_PUBLIC,
        f"The host has an address that is not on the public internet ({', '.join(kinds)}), so it was not contacted.",
        "Let the name stand for public addresses only, in every record (A and AAAA). NAT64 here can also come from "
        "this machine's own network: check from another one.",
    )


_REACH = {
    Reach.NOT_RESOLVED: critical(
        Code.NAME_NOT_RESOLVED,
        "The host name has no address in the DNS as seen from here.",
        "Correct the name, or publish its A or AAAA record; a new record can take as long as its TTL.",
    ),
    Reach.REFUSED: critical(
        Code.UNREACHABLE,
        "The address refused the connection.",
        "Start the server, or correct the port; a firewall may also refuse.",
    ),
    Reach.TIMED_OUT: critical(
        Code.UNREACHABLE,
        "The address did not answer within 5 s.",
        "Let the firewall pass connections from the internet to this port. CHeKT gives an answer 30 s.",
    ),
    Reach.NO_ROUTE: critical(
        Code.UNREACHABLE,
        "There is no way to the address from here.",
        "See whether this machine is on the internet, then whether the address is the right one.",
    ),
    Reach.NO_TLS: critical(
        Code.NO_TLS,
        "What answers on this port does not speak TLS (plain http, most likely).",
        "Configure the port for TLS, or register the port that is.",
    ),
    Reach.HANDSHAKE_FAILED: critical(
        Code.HANDSHAKE_FAILED,
        "The port is open, but no TLS connection of version 1.2 or higher came about.",
        "Try `openssl s_client -connect HOST:PORT -servername HOST -tls1_2`; look for missing ciphers, a site without "
        "a certificate, or a client certificate that is asked for: CHeKT brings none.",
    ),
    Reach.TLS_TOO_OLD: critical(
        Code.TLS_TOO_OLD,
        "The server offers no TLS version from 1.2 on, only deprecated ones (RFC 8996).",
        "Switch TLS 1.2 and 1.3 on.",
    ),
}
