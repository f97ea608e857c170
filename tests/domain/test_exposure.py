"""Every planted credential is found and replaced, however it was encoded; what only looks a little like one is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.auth import authenticate
from chekt_mcp.auth.credential import Problem
from chekt_mcp.domain.api_key import ALPHABET, fingerprint
from chekt_mcp.domain.exposure import MARK, contain_credentials, contains_credential, exposed_field, redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.webhook.fixes import ADVICE

KEY = "chekt_test_" + "EXAMPLE0" * 4
SECRET = "chekt_whsec_live_" + "EXAMPLE1" * 4
TOKEN = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (
    '{"alg":"RS256","typ":"JWT"}', '{"sub":"example","exp":1771200000}', "example signature " * 3
))  # fmt: skip
PEM = "-----BEGIN EXAMPLE PRIVATE KEY-----\nRVhBTVBMRQ==\n-----END EXAMPLE PRIVATE KEY-----"
MIB = 1024 * 1024
VECTORS = Path(__file__).parent.parent / "vectors"


def percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def inside_a_run(characters: int, bytes_before: int, text: str) -> str:
    return "x" * characters + encode(b"~" * bytes_before + text.encode() + b"~" * 9)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "clear": lambda text: text,
    "upper case": str.upper,
    "Authorization header": lambda text: f"Authorization: Bearer {text}",
    "URL query": lambda text: f"https://api.example/v1?api_key={text}&x=1",
    "percent-encoded underscores": lambda text: text.replace("_", "%5F"),
    "percent-encoded throughout": percent,
    "percent-encoded twice": lambda text: percent(percent(text)),
    "percent-encoded three times": lambda text: text.replace("_", "%25255f"),
    "JSON escape of the first letter": lambda text: f"\\u{ord(text[0]):04x}{text[1:]}",
    "JSON escapes throughout": lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    "JSON escapes within a JSON string": lambda text: text.replace("_", "\\\\u005f"),
    "escapes of a programming language": lambda text: "".join(f"\\x{ord(character):02x}" for character in text),
    "Markdown": lambda text: text.replace("_", "\\_"),
    "hexadecimal": lambda text: text.encode().hex(),
    "upper-case hexadecimal": lambda text: text.encode().hex().upper(),
    "a hex dump": lambda text: text.encode().hex(" "),
    "hexadecimal within an odd run": lambda text: "abc" + text.encode().hex(),
    "zero-width spaces": "\u200b".join,
    "a soft hyphen": lambda text: text[:8] + "\u00ad" + text[8:],
    "percent-encoded zero-width": lambda text: text[:3] + "%E2%80%8B" + text[3:],
    "UTF-16 read as bytes": lambda text: text.encode("utf-16-le").decode("ascii"),
    "base64": lambda text: encode(text.encode()),
    "base64 of a header": lambda text: encode(f"Bearer {text}".encode()),
    "base64 of basic credentials": lambda text: encode(f"user:{text}".encode()),
    "base64 of UTF-16": lambda text: encode(text.encode("utf-16-le")),
    "base64 of big-endian UTF-16": lambda text: encode(text.encode("utf-16-be")),
    "base64 of UTF-32": lambda text: encode(text.encode("utf-32-le")),
    "base64 of zero-width": lambda text: encode("\u200b".join(text).encode()),
    "base64 of JSON": lambda text: encode(json.dumps({"data": {"key": text}}).encode()),
    "base64url": lambda text: base64.urlsafe_b64encode(b"\xff\xef\xfe" + text.encode()).decode(),
    "base64 in lines": lambda text: base64.encodebytes((text + "." * 60).encode()).decode(),
    "base64 in percent-encoding": lambda text: encode(text.encode()).replace("=", "%3D").replace("Y", "%59"),
    **{
        f"base64 {ahead} characters into a run, {skip} bytes into it": partial(inside_a_run, ahead, skip)
        for ahead in range(4)
        for skip in range(3)
    },
}


KEYS = st.builds(
    str.__add__,
    st.sampled_from(["chekt_live_", "chekt_test_", "chekt_whsec_live_", "chekt_whsec_test_"]),
    st.text(ALPHABET, min_size=21, max_size=60),
)


@pytest.mark.parametrize(
    ("encoding", "credential"),
    [
        pytest.param(encoding, credential, id=f"{kind}: {encoding}")
        for kind, credential in {"key": KEY, "secret": SECRET, "token": TOKEN, "private key": PEM}.items()
        for encoding in ENCODINGS
        if (kind, encoding) != ("token", "upper case")  # that destroys a token; a key is then still recognised
    ],
)
def test_every_encoding_of_a_credential_is_found_and_replaced(encoding: str, credential: str) -> None:
    planted = ENCODINGS[encoding](credential)
    assert contains_credential(planted)
    assert not contains_credential(redacted(planted))
    assert MARK in redacted(planted)


@given(st.text(), KEYS, st.sampled_from(sorted(ENCODINGS)), st.text())
def test_a_planted_key_is_found_whatever_stands_around_it(before: str, key: str, encoding: str, after: str) -> None:
    text = f"{before} {ENCODINGS[encoding](key)} {after}"
    assert contains_credential(text)
    assert not contains_credential(redacted(text))
    assert key not in redacted(text)


@given(st.text(st.characters(codec="utf-8")), KEYS, st.text())
def test_a_key_glued_to_other_characters_is_found(before: str, key: str, after: str) -> None:
    assert contains_credential(before.replace("\\", "").replace("%", "") + key + after)


@pytest.mark.parametrize(
    "before", ["%\r", "%0D%", "%25%0D", "\\x\r", "=\r", "=\n", "%\n", "% ", "\\u", "%%", "\0", "100%"]
)
def test_a_broken_escape_before_a_key_does_not_hide_it(before: str) -> None:
    for encoding in ENCODINGS.values():
        assert contains_credential(f"{before} {encoding(KEY)}")


@given(st.text(st.characters()))
def test_text_without_a_prefix_is_left_as_it_is(text: str) -> None:
    assert redacted(text) == text  # lone surrogates and control characters included


def test_only_the_credential_goes_and_the_text_around_it_stays() -> None:
    assert redacted(f"before {KEY}, {SECRET}; {TOKEN} after") == f"before {MARK}, {MARK}; {MARK} after"


def test_a_private_key_goes_with_its_body_also_when_its_end_is_missing() -> None:
    assert redacted(f"a {PEM} z") == f"a {MARK} z"
    assert redacted("a -----BEGIN PRIVATE KEY-----\nRVhBTVBMRQ==") == f"a {MARK}"


def test_an_encoded_credential_takes_its_line_and_no_other() -> None:
    assert redacted(f"one\ntwo {encode(KEY.encode())} two\nthree") == f"one\n{MARK}\nthree"


def test_a_credential_spread_over_lines_takes_them_all() -> None:
    run = encode(KEY.encode())
    assert redacted("\n".join(run[at : at + 8] for at in range(0, len(run), 8))) == MARK


HARMLESS = [
    fingerprint(KEY),
    fingerprint(SECRET),
    escaped(fingerprint(KEY)),
    json.dumps({"current": fingerprint(KEY), "previous": fingerprint(SECRET)}),
    json.dumps([fingerprint(KEY)] * 3, ensure_ascii=False),
    json.dumps(json.dumps({"fingerprint": fingerprint(KEY)})),
    encode(json.dumps({"fingerprint": fingerprint(KEY)}, ensure_ascii=False).encode()),
    "chekt_live_...a1B2 chekt_test_****a1B2 chekt_whsec_test_<32 characters>",
    "A key begins with chekt_live_ or chekt_test_\\nEnvironments are live and test.",
    "CHEKT_API_KEY_FILE CHEKT_TEST_WEBHOOK_SECRET chekt_live_api_key_file chekt_test_database_url chekt_test_database",
    "chekt_live_environment",
    "apr_x5k2abcdefghijklmnop rot_aaaaaaaaaaaaaaaaaaaa evt_2hKqx9 del_8jx2k",
    "9a576ab364f11299ed486ce77eff5444ba0f28dacb4822f5108a7dd9f0c17d1b",
    "2001:db8:85a3:8d3:1319:8a2e:370:7348, ::ffff:203.0.113.7, 198.51.100.0/24 # office",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyjafjallajokull.volcanoes.visit-iceland-now.example",
    "-----BEGIN CERTIFICATE-----\nRVhBTVBMRQ==\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "100% of %ZZ and \\u12 and \\x and % and \\",
    "Bitte rotieren: ключ chekt_test_ключ и секрет",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_credential_is_let_through(text: str) -> None:
    assert not contains_credential(text)
    assert redacted(text) == text


def test_ordinary_deliveries_are_let_through() -> None:
    cases = json.loads((VECTORS / "webhooks.json").read_text("utf-8"))["cases"]
    for case in cases:
        body = case.get("body_base64", "")
        given = {"headers": {"X-CHeKT-Signature": case["signature"]}, "body_base64": body}
        assert exposed_field(given) is None
        assert not contains_credential(base64.b64decode(body).decode("utf-8", "replace"))


def test_our_own_advice_is_let_through() -> None:
    problems = [value for value in vars(authenticate).values() if isinstance(value, Problem)]
    assert problems
    assert not any(contains_credential(problem.fix + problem.message) for problem in problems)
    for advice in ADVICE.values():
        assert not contains_credential(repr(advice))


@given(st.binary(max_size=2000))
def test_arbitrary_data_in_base64_and_hexadecimal_is_let_through(data: bytes) -> None:
    assert not contains_credential(encode(data))
    assert not contains_credential(data.hex())


@pytest.mark.parametrize(
    "piece",
    ["eyJ", ".eyJ", "eyJaaaaaaaaaaaa.bb.", "chekt_", "chekt_live_abcdefghijk_", "-----BEGIN ", "-----BEGIN A A A A",
     "%41", "%2541", "\\", "\\u0041", "\\\\u0041", "%=\\x", "\0", "\u200b", "a", "Y2hla3Rf", "636865"],
)  # fmt: skip
def test_a_mebibyte_of_near_misses_is_judged_in_one_pass(piece: str) -> None:
    # No clock here: where the search is not linear, one of these takes minutes and stops the suite.
    assert not contains_credential(piece * (MIB // len(piece)))


def test_a_key_in_the_last_bytes_of_a_mebibyte_is_found() -> None:
    for encoding in ("clear", "base64", "percent-encoded twice", "hexadecimal"):
        assert contains_credential("." * MIB + ENCODINGS[encoding](KEY))


PLACES: list[tuple[dict[str, object], str]] = [
    ({"app": KEY}, "app"),
    ({"app": "desk", "addresses": ["192.0.2.1", KEY]}, "addresses"),
    ({"headers": {"Authorization": f"Bearer {KEY}"}}, "headers"),
    ({"headers": {KEY: "value"}}, "headers"),
    ({"body": json.dumps({"data": {"note": [{"deep": KEY}]}})}, "body"),
    ({"body_base64": encode(json.dumps({"note": KEY}).encode())}, "body_base64"),
    ({"a": [[[{"b": (KEY,)}]]]}, "a"),
    ({"app": "desk", KEY: 1}, ""),
    ({percent(KEY): None}, ""),
]


@pytest.mark.parametrize(("arguments", "field"), PLACES)
def test_the_argument_that_holds_a_credential_is_named_and_a_name_that_is_one_is_not(
    arguments: dict[str, object], field: str
) -> None:
    assert exposed_field(arguments) == field


def test_a_credential_in_pieces_over_several_arguments_is_found() -> None:
    run = encode(KEY.encode())
    assert exposed_field({"text": run[:24], "actor": run[24:]}) == ""
    assert exposed_field({"addresses": [run[:24], run[24:]]}) == "addresses"


def test_depth_hides_nothing_and_breaks_nothing() -> None:
    nested: object = KEY
    for _ in range(100_000):
        nested = [nested]
    assert exposed_field({"addresses": nested}) == "addresses"


def test_numbers_and_nothing_are_no_credentials() -> None:
    assert exposed_field({"limit": 20, "force": True, "until": None, "ratio": 0.5}) is None
    assert exposed_field({}) is None


ENCODED = st.builds(
    lambda ahead, encoding, credential: ahead + encoding(credential),
    st.text("aZ0 =_-", max_size=5),
    st.sampled_from(list(ENCODINGS.values())),
    st.sampled_from([KEY, SECRET, TOKEN, PEM]),
)


@given(st.lists(st.one_of(st.text(max_size=30), st.text("eyJ%=\\chkt_ \n", max_size=30), ENCODED), max_size=8))
def test_texts_looked_at_together_are_judged_as_each_for_itself(texts: list[str]) -> None:
    assert list(contain_credentials(texts)) == [contains_credential(text) for text in texts]
