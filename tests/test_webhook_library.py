from __future__ import annotations

import subprocess
import sys
import time

import pytest

from chekt_mcp import webhook
from chekt_mcp.webhook.secrets import signing_secrets

SECRET = "chekt_whsec_test_EXAMPLE0000000000000000000000000"  # noqa: S105  a made-up one
OLD = "chekt_whsec_test_EXAMPLE1111111111111111111111111"
NOW = 1_771_200_000
BODY = b'{"id":"evt_2hKqx9","type":"alarm.created","created_at":"2026-02-16T00:00:00Z"}'


def _headers(secret: str = SECRET, timestamp: int = NOW, body: bytes = BODY) -> dict[str, str]:
    return {"x-chekt-signature": webhook.sign(secret, timestamp, body), "x-chekt-timestamp": str(timestamp)}


def test_a_genuine_delivery_is_true_and_shows_its_event() -> None:
    verification = webhook.verify(_headers(), BODY, SECRET, now=NOW)
    assert verification
    assert verification.event == webhook.Event("evt_2hKqx9", "alarm.created", "2026-02-16T00:00:00Z")


def test_a_forged_delivery_is_false_and_says_why() -> None:
    verification = webhook.verify(_headers(OLD), BODY, SECRET, now=NOW)
    assert not verification
    assert (verification.verdict, verification.cause) == (webhook.Verdict.INVALID, webhook.Cause.SIGNATURE_MISMATCH)


def test_during_a_rotation_both_secrets_verify() -> None:
    for secret, label in ((SECRET, "current"), (OLD, "previous")):
        assert webhook.verify(_headers(secret), BODY, [SECRET, OLD], now=NOW).signed_with == label
        assert webhook.verify(_headers(secret), BODY, (SECRET, OLD), now=NOW).signed_with == label


def test_a_secret_that_is_not_configured_verifies_nothing() -> None:
    for missing in (None, "", [], [None], [None, ""]):
        verdict = webhook.verify(_headers(""), BODY, missing, now=NOW).verdict
        assert verdict is webhook.Verdict.NO_SIGNING_SECRET
    assert webhook.verify(_headers(), BODY, [SECRET, None], now=NOW)


def test_the_machines_clock_is_used_unless_a_time_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + 9.5)
    assert webhook.verify(_headers(), BODY, SECRET)
    assert webhook.verify(_headers(timestamp=NOW - 291), BODY, SECRET).verdict is webhook.Verdict.STALE
    assert webhook.diagnose(_headers(), BODY, SECRET) is None


def test_the_tolerance_can_be_narrowed() -> None:
    assert webhook.verify(_headers(), BODY, SECRET, now=NOW + 31, tolerance=30).verdict is webhook.Verdict.STALE


def test_a_failure_can_be_diagnosed() -> None:
    diagnosis = webhook.diagnose(_headers(), BODY + b"\n", SECRET, now=NOW)
    assert diagnosis
    assert diagnosis.cause is webhook.Cause.TRAILING_NEWLINE
    assert webhook.diagnose(_headers(), BODY, SECRET, now=NOW) is None


def test_the_same_secret_is_prepared_once() -> None:
    assert signing_secrets(SECRET) is signing_secrets(SECRET)


@pytest.mark.parametrize("module", ["mcp", "pydantic", "sqlite3", "httpx", "cryptography", "starlette", "netaddr"])
def test_importing_the_library_imports_nothing_heavy(module: str) -> None:
    program = f"import sys; from chekt_mcp import webhook; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_diagnosis_is_loaded_only_when_something_failed() -> None:
    program = """
import sys
from chekt_mcp import webhook
loaded = lambda: any(name.startswith("chekt_mcp.domain.webhook.diagnose_") for name in sys.modules)
assert not loaded()
assert not webhook.verify({}, b"", "x", now=1)
assert not loaded()
assert webhook.diagnose({}, b"", "x", now=1)
assert loaded()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
