"""JSON written anew by the libraries of several languages is recognised, whatever is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chekt_mcp.domain.webhook import Cause, SigningSecret, diagnose
from chekt_mcp.domain.webhook.diagnose_json import json_variants

SECRET = SigningSecret("chekt_whsec_test_EXAMPLE0000000000000000000000000", "current")
NOW = 1_771_200_000
REWRITTEN = {
    Cause.BODY_RESERIALIZED,
    Cause.UNICODE_ESCAPED,
    Cause.UNICODE_UNESCAPED,
    Cause.STRING_ESCAPING_CHANGED,
    Cause.TRAILING_NEWLINE,
    Cause.SURROUNDING_WHITESPACE,
}
_text = st.text(st.characters(codec="utf-8"), max_size=12)
_value = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_text, inner, max_size=3)),
    max_leaves=8,
)
_events = st.fixed_dictionaries({"id": _text, "type": _text, "created_at": _text, "data": _value})
_writers: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "compact and escaped": {"separators": (",", ":")},
    "spaced": {"ensure_ascii": False},
    "spaced and escaped": {},
    "indented": {"indent": 2, "ensure_ascii": False},
    "indented by four, escaped": {"indent": 4},
    "by tabs": {"indent": "\t", "ensure_ascii": False},
}


def _diagnosed(signed: bytes, arrived: bytes) -> Any:
    headers = {"X-CHeKT-Signature": SECRET.sign(b"%d" % NOW, signed), "X-CHeKT-Timestamp": str(NOW)}
    return diagnose(headers, arrived, [SECRET], now=NOW)


@settings(deadline=None)
@given(_events, st.sampled_from(sorted(_writers)), st.sampled_from(sorted(_writers)))
def test_any_event_written_by_one_writer_and_rewritten_by_another_is_recognised(
    event: dict[str, Any], sender: str, receiver: str
) -> None:
    signed, arrived = (json.dumps(event, **_writers[writer]).encode() for writer in (sender, receiver))
    assume(signed != arrived)
    diagnosis = _diagnosed(signed, arrived)
    assert diagnosis.proven
    assert diagnosis.cause in REWRITTEN


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        (r'{"a":"caf\u00e9 \ud83d\udea8 1\/2"}', Cause.UNICODE_UNESCAPED),  # PHP: json_encode
        ('{"a":"café 🚨 1\\/2"}', Cause.STRING_ESCAPING_CHANGED),  # PHP: JSON_UNESCAPED_UNICODE
        (r'{"a":"caf\u00E9 \uD83D\uDEA8 1/2"}', Cause.UNICODE_UNESCAPED),  # .NET, upper-case digits
        ('{ "a" : 1 }', None),  # not tried: nobody writes it like that
    ],
)  # fmt: skip
def test_what_other_languages_write_is_known(written: str, cause: Cause | None) -> None:
    diagnosis = _diagnosed(written.encode(), b'{"a":"caf\xc3\xa9 \xf0\x9f\x9a\xa8 1/2"}')
    assert (diagnosis.cause if diagnosis else None) == cause


def test_numbers_keep_every_digit_when_the_rest_is_written_anew() -> None:
    signed = b'{"a":1.0,"b":1e400,"c":123456789012345678901234567890,"d":0.1000}'
    assert _diagnosed(signed, signed.replace(b",", b", ").replace(b":", b": ")).cause is Cause.BODY_RESERIALIZED


def test_an_escaped_backslash_before_u_is_not_taken_for_an_escape() -> None:
    signed = rb'{"path":"D\\users\\u00e9","note":"\u0022\u0007"}'
    assert _diagnosed(signed, signed.replace(b":", b": ").replace(b",", b", ")).cause is Cause.BODY_RESERIALIZED
    assert all(json.loads(body) == json.loads(signed) for _, body, _ in json_variants(signed))


@settings(deadline=None)
@given(_value)
def test_every_variant_is_the_same_json(document: Any) -> None:
    body = json.dumps(document, ensure_ascii=False).encode()
    assert all(json.loads(variant) == document for _, variant, _ in json_variants(body))


@pytest.mark.parametrize("members", [2, 5])
def test_members_of_data_sorted_on_the_way_are_put_back_in_their_order(members: int) -> None:
    data = dict.fromkeys("edcba"[:members], 1)
    event = {"id": "evt_1", "type": "t", "created_at": "x", "data": data}
    signed = json.dumps(event, separators=(",", ":")).encode()
    diagnosis = _diagnosed(signed, json.dumps(event, sort_keys=True).encode())
    assert (diagnosis.cause, diagnosis.proven) == (Cause.BODY_RESERIALIZED, True)
    assert "another order" in diagnosis.explanation


@pytest.mark.parametrize("body", [b"", b"x", b"\xff", b'{"a":', b"[" * 100_000, b" " * 70_000 + b"{}", b"9" * 6_000])
def test_what_is_not_json_or_too_large_has_no_variants_or_only_sound_ones(body: bytes) -> None:
    assert all(variant == body.strip() for _, variant, _ in json_variants(body))
