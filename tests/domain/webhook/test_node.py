"""Deliveries signed by an independent implementation: Node's crypto."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from chekt_mcp.domain.webhook import SigningSecret, verify, verify_and_explain

SECRET = SigningSecret("chekt_whsec_test_EXAMPLEéèß0000000000000000000000", "current")
NOW = 1_771_200_000
EVENT = {
    "id": "evt_2hKqx9",
    "type": "alarm.created",
    "data": {"note": "café ☕ </script>", "level": 1.5, "path": "a/b"},
}
BODIES = [
    b"",
    b"{}",
    json.dumps(EVENT).encode(),
    json.dumps(EVENT, ensure_ascii=False, indent=2).encode(),
    bytes(range(256)) * 40,
    b"x" * 1024 * 1024,
]
SIGN = """
const crypto = require("crypto");
const { secret, deliveries } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(deliveries.map(({ timestamp, body }) =>
  crypto.createHmac("sha256", secret).update(`${timestamp}.`).update(Buffer.from(body, "base64")).digest("hex"))));
"""
REWRITE = """
const body = require("fs").readFileSync(0, "utf8");
process.stdout.write(JSON.stringify(JSON.parse(body)));
"""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None and not os.environ.get("CI"):
        pytest.skip("node is not installed")
    assert found, "node is needed in CI"
    return found


def _run(node: str, program: str, given: bytes) -> bytes:
    return subprocess.run([node, "-e", program], input=given, capture_output=True, check=True, timeout=60).stdout


def test_deliveries_signed_by_node_are_accepted(node: str) -> None:
    deliveries: list[dict[str, Any]] = [{"timestamp": NOW, "body": base64.b64encode(body).decode()} for body in BODIES]
    given = json.dumps({"secret": SECRET.value, "deliveries": deliveries}).encode()
    signatures = json.loads(_run(node, SIGN, given))
    for body, signature in zip(BODIES, signatures, strict=True):
        headers = {"X-CHeKT-Signature": signature, "X-CHeKT-Timestamp": str(NOW)}
        assert verify(headers, body, [SECRET], now=NOW)
        assert not verify(headers, body + b" ", [SECRET], now=NOW)


def test_a_body_written_anew_by_node_is_recognised(node: str) -> None:
    original = json.dumps(EVENT).encode()  # spaced and escaped; JSON.stringify writes neither
    rewritten = _run(node, REWRITE, original)
    headers = {"X-CHeKT-Signature": SECRET.sign(b"%d" % NOW, original), "X-CHeKT-Timestamp": str(NOW)}
    explained = verify_and_explain(headers, rewritten, [SECRET], now=NOW)
    assert (explained.verdict, explained.cause) == ("invalid", "body_reserialized")
