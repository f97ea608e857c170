"""What a status code of Vault, or no answer at all, means to a person. The body of an answer is never repeated.

Status codes: https://developer.hashicorp.com/vault/api-docs#http-status-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.secrets.interface import DELIVERY_UNKNOWN, not_delivered

REASONS = {
    307: ("that Vault node is not the active one", "Give the address of the active node, or of its load balancer."),
    400: ("Vault refused the request as malformed", "Check mount, path and namespace."),
    403: ("Vault refused its token", "Renew the token, and check its policy and the namespace."),
    404: ("there is no such engine or path in Vault", "Check mount, path and namespace."),
    412: ("that Vault node is behind the active one", "Ask again in a moment."),
    429: ("Vault has too many requests", "Ask again in a moment."),
    503: ("Vault is sealed or down for maintenance", "Unseal it, then ask again."),
}
NOT_VERSION_2 = ("what answers there is no KV engine of version 2", "Check the address and the mount.")
LOST = ("no good answer came back, and the key may be there or not", "Look at the secret's newest version in Vault.")
UNTRUSTED = "untrusted"
NEVER_SENT = {UNTRUSTED, "ConnectError", "ConnectTimeout"}
CAS_MISMATCH, CAS_REQUIRED = "did not match the current version", "check-and-set parameter required"


def refused(reference: str, status: int) -> DeliveryFailed:
    """Return what a status code means where nothing was written."""
    other = (f"Vault answered with status {status}", "See Vault's own log.")
    return not_delivered(reference, *REASONS.get(status, other))


def write_refused(reference: str, status: int, answer: Mapping[str, Any]) -> DeliveryFailed:
    """Return what a status code means after a write: some leave open whether it was done (`delivery_unknown`)."""
    errors = str(answer.get("errors"))
    if status == HTTPStatus.BAD_REQUEST and CAS_MISMATCH in errors:
        return not_delivered(reference, "somebody else changed it at the same moment", "Ask again.")
    if status == HTTPStatus.BAD_REQUEST and CAS_REQUIRED in errors:
        return not_delivered(reference, "Vault wants check-and-set for it", "Turn check_and_set on.")
    if status < HTTPStatus.MULTIPLE_CHOICES or (status in range(500, 600) and status != HTTPStatus.SERVICE_UNAVAILABLE):
        return not_delivered(reference, *LOST, code=DELIVERY_UNKNOWN)
    return refused(reference, status)


def unanswered(reference: str, problem: str, *, writes: bool) -> DeliveryFailed:
    """Return what it means that no answer came; `problem` is `UNTRUSTED` or the name of the failure's class."""
    if problem == UNTRUSTED:
        return not_delivered(reference, "Vault's TLS certificate is not trusted", "Name its authority as ca_file.")
    if writes and problem not in NEVER_SENT:
        return not_delivered(reference, *LOST, code=DELIVERY_UNKNOWN)
    return not_delivered(reference, f"Vault cannot be reached ({problem})", "Check its address and the network.")
