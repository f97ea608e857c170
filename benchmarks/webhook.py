"""How fast deliveries are verified, beside the bare hash and two well-known verifiers, in one run.

    python benchmarks/webhook.py [--rounds 40] [--check]

Peers are optional (`pip install standardwebhooks stripe`) and reported as absent. Every candidate runs a slice of
every round, in turn, so that a slow moment of the machine hits all of them; figures are medians over the rounds.
What is timed: reading and checking the headers (ten of them, as a server hands them over), HMAC, comparison,
freshness, and making the answer. Not timed, because `Verification` does it at first use only: parsing the event.
The peers get text and are told not to parse it, which favours them. `--check` fails when a target is missed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable

from chekt_mcp import webhook
from chekt_mcp.domain.webhook import SigningSecret, sign, verify

SECRET = "chekt_whsec_test_EXAMPLE0000000000000000000000000"  # noqa: S105  a made-up one
SIZES = (1024, 64 * 1024, 1024 * 1024)
SLICE_SECONDS = 0.004
TARGETS = {1024: 3.3, 64 * 1024: 1.15, 1024 * 1024: 1.15}
"""The most that verifying may take, as a multiple of one SHA-256 over the same bytes."""
BASE, OURS, LIBRARY = "sha256 alone", "verify", "chekt_mcp.webhook.verify"
PEERS = ("standardwebhooks", "stripe")

Candidate = Callable[[], object]


def sample_body(size: int) -> bytes:
    """Return an event of exactly `size` bytes of JSON."""
    event = {"id": "evt_2hKqx9", "type": "alarm.created", "created_at": "2026-02-16T00:00:00Z", "data": {"note": ""}}
    padding = size - len(json.dumps(event, separators=(",", ":")))
    event["data"] = {"note": "x" * padding}
    return json.dumps(event, separators=(",", ":")).encode()


def sample_headers(body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers of a delivery as a server hands them over."""
    return {
        "Host": "hooks.dealer.example",
        "User-Agent": "CHeKT-Webhooks/1.0",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-CHeKT-Signature": sign(SECRET, timestamp, body),
        "X-CHeKT-Timestamp": str(timestamp),
        "X-CHeKT-Event-Id": "evt_2hKqx9",
        "X-CHeKT-Delivery-Id": "del_8jx2k",
        "X-CHeKT-Attempt": "1",
    }


def candidates(size: int) -> dict[str, Candidate]:
    """Return what is compared at this size; each does one verification of one body."""
    now = int(time.time())
    body, secrets = sample_body(size), (SigningSecret(SECRET, "current"),)
    headers, key, signed = sample_headers(body, now), SECRET.encode(), b"%d." % now + body
    ours: dict[str, Candidate] = {
        BASE: lambda: hashlib.sha256(body).hexdigest(),
        "hmac alone": lambda: hmac.digest(key, signed, "sha256"),
        OURS: lambda: verify(headers, body, secrets, now=now),
        LIBRARY: lambda: webhook.verify(headers, body, SECRET),
        "verify, then read the event": lambda: verify(headers, body, secrets, now=now).event,
    }
    return ours | standardwebhooks_candidate(headers, body) | stripe_candidate(headers, body)


def standardwebhooks_candidate(headers: dict[str, str], body: bytes) -> dict[str, Candidate]:
    """Return the Standard Webhooks library's verifier, without its JSON parsing; empty when not installed."""
    try:
        library = importlib.import_module("standardwebhooks.webhooks")
    except ImportError:
        return {}
    verifier = library.Webhook(base64.b64encode(SECRET.encode()).decode())
    text, now = body.decode(), int(headers["X-CHeKT-Timestamp"])
    moment = importlib.import_module("datetime").datetime.fromtimestamp(now, importlib.import_module("datetime").UTC)
    theirs = {
        **{name: value for name, value in headers.items() if not name.startswith("X-")},
        "webhook-id": "evt_2hKqx9",
        "webhook-timestamp": str(now),
        "webhook-signature": verifier.sign("evt_2hKqx9", moment, text),
    }
    return {"standardwebhooks": lambda: verifier.verify(text, theirs, json_parse=False)}


def stripe_candidate(headers: dict[str, str], body: bytes) -> dict[str, Candidate]:
    """Return Stripe's signature check, without its event object; empty when not installed."""
    try:
        library = importlib.import_module("stripe")
    except ImportError:
        return {}
    text, timestamp = body.decode(), headers["X-CHeKT-Timestamp"]
    header = f"t={timestamp},v1={headers['X-CHeKT-Signature']}"
    check = library.WebhookSignature.verify_header
    return {"stripe": lambda: check(text, header, SECRET, 300)}


def measure(compared: dict[str, Candidate], rounds: int) -> dict[str, float]:
    """Return each candidate's median seconds per call over `rounds` alternating slices."""
    calls = {name: calls_per_slice(run) for name, run in compared.items()}
    taken: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, run in compared.items():
            taken[name].append(seconds_for(run, calls[name]) / calls[name])
    return {name: statistics.median(each) for name, each in taken.items()}


def calls_per_slice(run: Candidate) -> int:
    """Return how many calls fill a slice, warmed up."""
    once = min(seconds_for(run, 3) / 3 for _ in range(5))
    return max(2, int(SLICE_SECONDS / once))


def seconds_for(run: Candidate, calls: int) -> float:
    """Return how long `calls` calls take."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return time.perf_counter() - start


def report(size: int, medians: dict[str, float]) -> list[str]:
    """Print the table of one size and return the targets missed."""
    print(f"\n{size // 1024} KiB")
    for name, seconds in medians.items():
        print(f"  {name:28}{seconds * 1e6:10.2f} µs{1 / seconds:12,.0f}/s{seconds / medians[BASE]:8.2f} x sha256")
    ratio = medians[OURS] / medians[BASE]
    missed = [f"{size} bytes: {ratio:.2f} x sha256, target {TARGETS[size]}"] if ratio > TARGETS[size] else []
    slower = [peer for peer in PEERS if peer in medians and medians[OURS] >= medians[peer]]
    return missed + [f"{size} bytes: not faster than {peer}" for peer in slower]


def main() -> int:
    """Run all sizes; exit status 1 with `--check` when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    missed = [line for size in SIZES for line in report(size, measure(candidates(size), arguments.rounds))]
    print("\nabsent: " + ", ".join(set(PEERS) - set(candidates(1024))) if set(PEERS) - set(candidates(1024)) else "")
    print("\n".join(missed) or "all targets met")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
