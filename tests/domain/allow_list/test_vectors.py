"""The cases in tests/vectors/allow_lists.json: what everything built on allow lists must agree on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.domain.allow_list import AddressMatcher, ClientAddress, client_address, parse

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "allow_lists.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", VECTORS["parse"], ids=lambda case: case["name"])
def test_text_parses_as_published(case: dict[str, Any]) -> None:
    parsed = parse(case["text"])

    assert parsed.ok is ("errors" not in case)
    if parsed.ok:
        assert [entry.network for entry in parsed.entries] == case["entries"]
    found = [
        {"line": one.line, "column": one.column, "code": one.code, "suggestion": one.suggestion}
        for one in parsed.errors
    ]
    assert found == [{"suggestion": None, **error} for error in case.get("errors", [])]


@pytest.mark.parametrize("case", VECTORS["check"], ids=lambda case: f"{case['address']} {case['verdict']}")
def test_address_gets_the_published_verdict(case: dict[str, Any]) -> None:
    check = AddressMatcher(parse(case["list"]).entries).check(case["address"])

    assert check.verdict == case["verdict"]
    assert check.matched == case.get("matched")


@pytest.mark.parametrize("case", VECTORS["client_address"]["cases"], ids=str)
def test_client_is_found_as_published(case: dict[str, Any]) -> None:
    header = case.get("header", "X-Forwarded-For")
    value = case.get("forwarded") if header == "Forwarded" else case["forwarded_for"]

    found = client_address(case["peer"], case["trusted"], header, [] if value is None else [value])

    if isinstance(found, ClientAddress):
        assert found.address == case["client"]
    else:
        assert case["client"] is None
        assert found.code == case["error"]
