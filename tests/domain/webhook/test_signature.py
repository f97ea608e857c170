from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.webhook import OtherSecret, SigningSecret, Verdict, sign, verify
from chekt_mcp.domain.webhook.signature import key_states

SECRET = "chekt_whsec_test_EXAMPLE0000000000000000000000000"  # noqa: S105  a made-up one
NOW = 1_771_200_000


@given(st.text(min_size=1, max_size=200), st.integers(0, 10**12 - 1), st.binary(max_size=300))
def test_the_signature_is_what_the_standard_library_computes(secret: str, timestamp: int, body: bytes) -> None:
    key = secret.encode("utf-8", "surrogatepass")
    expected = hmac.new(key, str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
    assert sign(secret, timestamp, body) == expected


# RFC 4231, sections 4.2 to 4.4 and 4.7: key, data, HMAC-SHA-256
RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]


@pytest.mark.parametrize(("key", "data", "expected"), RFC_4231)
def test_the_key_states_give_the_macs_of_rfc_4231(key: bytes, data: bytes, expected: str) -> None:
    states = key_states(key)
    states.inner.update(data)
    states.outer.update(states.inner.digest())
    assert states.outer.hexdigest() == expected


def test_signing_does_not_change_the_kept_states() -> None:
    secret = SigningSecret(SECRET, "current")
    first = secret.sign(b"1771200000", b"{}")
    assert [secret.sign(b"1771200000", b"{}") for _ in range(3)] == [first] * 3


def test_no_secret_shows_its_value() -> None:
    secret = SigningSecret(SECRET, "previous", live=False)
    secret.sign(b"1", b"")
    other = OtherSecret("front-desk", SECRET)
    assert SECRET not in f"{secret!r}{secret}{other!r}{other}"
    assert "previous" in repr(secret)


@pytest.mark.parametrize("blank", ["", " ", "\n", "\r\n\t", '""', "''", ' "" \n', "\ufeff", "\0"])
def test_a_blank_secret_is_no_secret_even_if_the_signature_fits_it(blank: str) -> None:
    headers = {"X-CHeKT-Signature": sign(blank, NOW, b"{}"), "X-CHeKT-Timestamp": str(NOW)}
    assert verify(headers, b"{}", [SigningSecret(blank, "current")], now=NOW).verdict is Verdict.NO_SIGNING_SECRET
    both = [SigningSecret(blank, "previous"), SigningSecret(SECRET, "current")]
    assert verify(headers, b"{}", both, now=NOW).verdict is Verdict.INVALID


def test_a_secret_with_an_undecodable_byte_from_the_environment_raises_nothing() -> None:
    headers = {"X-CHeKT-Signature": "0" * 64, "X-CHeKT-Timestamp": str(NOW)}
    assert verify(headers, b"{}", [SigningSecret("x\udcff", "current")], now=NOW).verdict is Verdict.INVALID
