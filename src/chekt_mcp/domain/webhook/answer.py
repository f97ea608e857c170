"""What a receiver answered to a delivery, and what that means by the platform's retry rule.

The rule (the platform's webhook page): a non-2xx answer, or none in 30 s, is retried with backoff for up to 24 h.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ANSWER_SECONDS = 30.0
"""How long the platform waits for an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP. `location` and `body` are the receiver's own text, not yet escaped.

    Attributes:
        status: 101, or 200 to 999.
        seconds: from the first step of the connection to the end of the answer's head.
        location: where a redirect leads; it was not followed.
        body: how the body begins, undecoded; 2 KiB at most.
    """

    status: int
    seconds: float
    location: str | None = None
    body: bytes = b""

    @property
    def accepted(self) -> bool:
        """Tell whether the platform would count the delivery as received."""
        return 200 <= self.status < 300  # noqa: PLR2004 -- RFC 9110 section 15.3


class Failure(StrEnum):
    """Why there is no answer. Up to `CERTIFICATE` nothing was sent."""

    NOT_RESOLVED = "not_resolved"
    NOT_PUBLIC = "not_public"
    NOT_THIS_MACHINE = "not_this_machine"
    UNREACHABLE = "unreachable"
    NO_TLS = "no_tls"
    CERTIFICATE = "certificate"
    NO_ANSWER = "no_answer"
    BROKEN_OFF = "broken_off"


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer. `refused` has a word for each kind of address that was refused, with `Failure.NOT_PUBLIC` only."""

    failure: Failure
    refused: tuple[str, ...] = ()


RETRIED = "CHeKT would send it again, with growing pauses, for up to 24 h"


def meaning(outcome: Answer | NoAnswer, app: str) -> str:
    """Say what CHeKT would make of this outcome, and what to do where that is not what one wants."""
    if isinstance(outcome, NoAnswer):
        return _FAILURES[outcome.failure]
    if outcome.accepted:
        return "A 2xx answer: CHeKT would count it as received and not send it again."
    return f"Not a 2xx answer: {RETRIED}.{_hint(outcome.status, app)}"


def _hint(status: int, app: str) -> str:
    if status in {400, 401, 403}:
        return (
            " If the signature check refused it, compare the receiver's secret with the app's, save the request as "
            f"the receiver got it, and let `chekt-mcp webhook verify --app {app} --dump FILE` say what changed."
        )
    return _HINTS.get(status) or _HINTS_BY_CLASS.get(status // 100, "")


_HINTS = {
    404: " The server knows nothing under this path: correct the URL.",
    405: " The receiver does not take POST under this path.",
    410: " The server says that this path is gone for good: correct the URL.",
    411: " The receiver did not take a Content-Length that was there: look at what stands before it.",
    413: " The receiver takes smaller bodies only: allow 1 MiB.",
    415: " The receiver does not take application/json.",
    429: " The receiver limits how often it is called: leave deliveries out of that limit.",
}
_HINTS_BY_CLASS = {
    3: " A redirect is no acceptance, and was not followed: register the URL that answers in the end.",
    5: " The receiver itself failed: look into its log. Take the event in and answer first, and work on it afterwards.",
}
_FAILURES = {
    Failure.NOT_RESOLVED: "Nothing was sent: the host name has no address as seen from here.",
    Failure.NOT_PUBLIC: "Nothing was sent: the host has an address that is not on the public internet, so CHeKT cannot "
    "reach it either. For a receiver on this machine add --local.",
    Failure.NOT_THIS_MACHINE: "Nothing was sent: --local is for receivers on this machine. Use localhost, an "
    "address of 127.0.0.0/8, or [::1]; leave --local away for any other host.",
    Failure.UNREACHABLE: f"Nothing was sent: no connection came about. That counts as no answer: {RETRIED}. Start the "
    "receiver, or correct the port.",
    Failure.NO_TLS: f"Nothing was sent: no TLS 1.2 or higher came about. That counts as no answer: {RETRIED}. Look "
    "whether the port speaks https.",
    Failure.CERTIFICATE: "Nothing was sent: the certificate is not for this host, has run out, or comes from no public "
    "authority. CHeKT would refuse it too; check_webhook_endpoint says what is wrong with it.",
    Failure.NO_ANSWER: f"No answer within {ANSWER_SECONDS:.0f} s: {RETRIED}. Take the event in and answer first, and "
    "work on it afterwards.",
    Failure.BROKEN_OFF: f"The connection was closed without an answer, or what came is not HTTP: {RETRIED}. Look into "
    "the receiver's log.",
}
