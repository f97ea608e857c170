"""Is this URL fit to receive deliveries: https, public, TLS, certificate, and an answer of its own."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import TypedDict

from chekt_mcp.domain.endpoint.certificate import CertificateFacts
from chekt_mcp.domain.endpoint.finding import Finding
from chekt_mcp.domain.endpoint.judge import findings, is_fit
from chekt_mcp.domain.endpoint.observation import Observation
from chekt_mcp.domain.endpoint.response import Head
from chekt_mcp.domain.endpoint.url import read_url, url_findings
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.services import Call, Services

NAME_SHOWN = 120
REDIRECT_SHOWN = 200


class CertificateReport(TypedDict):
    """The server's certificate; its names are its owner's text, escaped and cut."""

    subject: str
    issuer: str
    not_after: str
    self_signed: bool


class EndpointFinding(TypedDict):
    """One thing to mend or to know."""

    code: str
    severity: str
    message: str
    fix: str


class CheckWebhookEndpoint(TypedDict):
    """Result of `check_webhook_endpoint`; null for what was not seen. `redirect` is the endpoint's own text."""

    fit: bool
    address: str | None
    tls_version: str | None
    certificate: CertificateReport | None
    status: int | None
    redirect: str | None
    findings: list[EndpointFinding]


async def check_endpoint(services: Services, call: Call, text: str) -> CheckWebhookEndpoint:
    """Look at the endpoint once; a URL that is unfit by itself is not contacted and costs the caller no look.

    Raises:
        InvalidInput: code `bad_url`.
        NotPermitted: code `rate_limited`.
    """
    endpoint = read_url(text)
    unfit = list(url_findings(endpoint))
    if unfit:
        return _result(unfit, None)
    services.probe_rate.spend(call.grant, call.now)
    seen = await services.probe().look(endpoint)
    return _result(findings(seen, endpoint.host, call.now), seen)


def summary(result: CheckWebhookEndpoint) -> str:
    """Say the verdict and every finding with its fix; nothing that the endpoint sent."""
    verdict = "Fit to receive deliveries" if result["fit"] else "NOT fit to receive deliveries"
    seen = [result["address"] or "not contacted", result["tls_version"] or "no TLS seen"]
    if result["certificate"]:
        seen.append(f"certificate until {result['certificate']['not_after']}")
    lines = [f"{verdict} ({', '.join(seen)})."]
    lines += [f"{one['severity']} {one['code']}: {one['message']} Fix: {one['fix']}" for one in result["findings"]]
    return "\n".join(lines)


def outcome(result: CheckWebhookEndpoint) -> str:
    """Say for the audit log how it ended: fit or not, and for which critical reasons."""
    reasons = [one["code"] for one in result["findings"] if one["severity"] == "critical"]
    return " ".join(["fit" if result["fit"] else "unfit", *reasons])


def _result(found: Iterable[Finding], seen: Observation | None) -> CheckWebhookEndpoint:
    listed = list(found)
    head = seen.response if seen and isinstance(seen.response, Head) else None
    location = head.location if head and head.redirects else None
    return {
        "fit": is_fit(listed),
        "address": seen.address if seen else None,
        "tls_version": seen.tls_version if seen else None,
        "certificate": _certificate(seen.certificate) if seen and seen.certificate else None,
        "status": head.status if head else None,
        "redirect": escaped(location, REDIRECT_SHOWN) if location else None,
        "findings": [_finding(one) for one in listed],
    }


def _certificate(facts: CertificateFacts) -> CertificateReport:
    return {
        "subject": escaped(facts.subject, NAME_SHOWN),
        "issuer": escaped(facts.issuer, NAME_SHOWN),
        "not_after": rfc3339(facts.not_after),
        "self_signed": facts.self_signed,
    }


def _finding(one: Finding) -> EndpointFinding:
    return {"code": one.code.value, "severity": one.severity.value, "message": one.message, "fix": one.fix}
