"""A result is the same in both forms, and nothing shaped like a credential leaves in either."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from mcp_types import TextContent

from chekt_mcp.domain.exposure import MARK, contains_credential
from chekt_mcp.tools.answer import Answer, as_result

KEY = "chekt_live_" + "EXAMPLE0" * 4
ENCODED = base64.b64encode(f"Bearer {KEY}".encode()).decode()


def words(answer: Answer) -> str:
    (content,) = as_result(answer).content
    assert isinstance(content, TextContent)
    return content.text


def test_an_ordinary_answer_leaves_as_it_is() -> None:
    structured = {"app": "shop", "fingerprint": "chekt_live_…a1B2", "results": [{"n": 1, "ok": True, "none": None}]}
    result = as_result(Answer(structured, "shop: allowed."))
    assert result.structured_content == structured
    assert words(Answer(structured, "shop: allowed.")) == "shop: allowed."
    assert not result.is_error


@pytest.mark.parametrize("planted", [KEY, ENCODED, KEY.encode().hex(), KEY.replace("_", "%5F"), "\u200b".join(KEY)])
@pytest.mark.parametrize(
    "place",
    [
        lambda text: {"app": text},
        lambda text: {"entries": [{"actor": "x", "details": [{"deep": (text,)}]}]},
        lambda text: {"entries": {text: 1}},
        lambda text: {"a": f"before {text} after"},
    ],
)
def test_a_credential_anywhere_in_the_structured_form_is_replaced(planted: str, place: Any) -> None:
    result = as_result(Answer(place(planted), "ok"))
    shown = json.dumps(result.structured_content, ensure_ascii=False)
    assert not contains_credential(shown)
    assert MARK in shown


def test_a_credential_in_the_words_is_replaced_whatever_the_structured_form_holds() -> None:
    assert words(Answer({}, f"found {KEY} there")) == f"found {MARK} there"
    assert words(Answer({"app": KEY}, "clean")) == "clean"


def test_what_stands_beside_a_credential_is_kept() -> None:
    result = as_result(Answer({"n": 7, "ok": False, "none": None, "list": [KEY, "192.0.2.1"]}, "ok"))
    assert result.structured_content == {"n": 7, "ok": False, "none": None, "list": [MARK, "192.0.2.1"]}
