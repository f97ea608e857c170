from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.domain.webhook import SigningSecret, Verification, diagnose, verify, verify_and_explain

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "webhooks.json").read_text(encoding="utf-8"))
CASES = [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]]
PARTS = ("verdict", "cause", "signed_with", "fresh_when_received", "event")


def _secrets(case: dict[str, Any]) -> list[SigningSecret]:
    current, previous = (case["secrets"] + [None, None])[:2]
    secrets = [] if current is None else [SigningSecret(current, "current")]
    return secrets + ([] if previous is None else [SigningSecret(previous, "previous")])


def _explained(case: dict[str, Any], headers: Any) -> Verification:
    body = base64.b64decode(case["body_base64"])
    return verify_and_explain(headers, body, _secrets(case), now=case["now"], received_at=case.get("received_at"))


def _headers(case: dict[str, Any]) -> dict[str, str]:
    given = {"X-CHeKT-Signature": case["signature"], "X-CHeKT-Timestamp": case["timestamp"]}
    return {"Content-Type": "application/json", "X-CHeKT-Attempt": "1"} | given


@pytest.mark.parametrize("case", CASES)
def test_every_published_case_holds(case: dict[str, Any]) -> None:
    verification = _explained(case, _headers(case))
    for part, expected in case["expect"].items():
        assert getattr(verification, part) == expected, part
    assert set(case["expect"]) <= set(PARTS), "a case promises something this test does not look at"


@pytest.mark.parametrize("case", CASES)
def test_every_case_holds_for_other_forms_of_the_headers(case: dict[str, Any]) -> None:
    headers = {name: value for name, value in _headers(case).items() if value}
    in_bytes = [(name.encode(), value.encode("utf-8")) for name, value in headers.items()]
    forms = [
        headers,
        list(headers.items()),
        {name.lower(): value for name, value in headers.items()},
        {name.upper(): value for name, value in headers.items()},
        in_bytes,
    ]
    for form in forms:
        assert _explained(case, form).verdict == case["expect"]["verdict"], form


@pytest.mark.parametrize("case", CASES)
def test_a_diagnosis_leaves_every_verdict_as_it_was(case: dict[str, Any]) -> None:
    body, secrets = base64.b64decode(case["body_base64"]), _secrets(case)
    plain = verify(_headers(case), body, secrets, now=case["now"])
    assert plain.verdict == case["expect"]["verdict"]
    diagnosis = diagnose(_headers(case), body, secrets, now=case["now"])
    assert (diagnosis is None) >= (plain.verdict == "valid")
