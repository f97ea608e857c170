from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chekt_mcp.domain.checkpoint import Checkpoint, origin_of, read_checkpoint, verified_checkpoint
from chekt_mcp.domain.merkle import EMPTY_ROOT
from chekt_mcp.domain.signed_note import SigningKey, VerifierKey, read_note, read_verifier_key
from chekt_mcp.errors import InvalidInput

KEY = SigningKey("chekt-mcp/acme", bytes(range(32)))
CHECKPOINT = Checkpoint("chekt-mcp/acme", 7, EMPTY_ROOT)
NOTE = CHECKPOINT.signed(KEY)

# golang.org/x/mod/sumdb/note, and the C2SP page after it
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example_verifies() -> None:
    key = read_verifier_key(PETER)
    assert read_note(PETER_NOTE).signed_by(key)
    assert not read_note(PETER_NOTE.replace("your problem is", "the problem is")).signed_by(key)
    assert str(key) == PETER


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    origin, size, root, empty, signature, end = NOTE.split("\n")
    assert (origin, size, root, empty, end) == ("chekt-mcp/acme", "7", base64.b64encode(EMPTY_ROOT).decode(), "", "")
    assert signature.startswith("— chekt-mcp/acme ")
    assert len(base64.b64decode(signature.split(" ")[2])) == 4 + 64
    assert KEY.sign(CHECKPOINT.text()) == NOTE


@given(
    st.text(min_size=1), st.integers(0, 2**60), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32)
)
def test_what_is_signed_reads_back_and_verifies(dealer: str, size: int, root: bytes, seed: bytes) -> None:
    key = SigningKey(origin_of(dealer), seed)
    checkpoint = Checkpoint(origin_of(dealer), size, root)
    assert verified_checkpoint(checkpoint.signed(key), key.verifier()) == checkpoint
    assert read_verifier_key(str(key.verifier())) == key.verifier()


@given(st.data())
def test_no_changed_note_verifies(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(NOTE) - 1))
    changed = NOTE[:place] + data.draw(st.one_of(st.just(""), st.characters())) + NOTE[place + 1 :]
    assume(changed != NOTE)
    with suppress(InvalidInput):
        assert verified_checkpoint(changed, KEY.verifier()) is None


@given(st.text())
def test_any_text_is_a_checkpoint_or_refused(content: str) -> None:
    with pytest.raises(InvalidInput):
        read_checkpoint(content)


@given(st.text())
def test_any_text_is_a_verifier_key_or_refused(content: str) -> None:
    with pytest.raises(InvalidInput):
        read_verifier_key(content)


def test_another_key_or_another_log_does_not_verify() -> None:
    stranger = SigningKey(KEY.name, bytes(32))
    assert verified_checkpoint(NOTE, stranger.verifier()) is None
    other_log = Checkpoint("chekt-mcp/other", 7, EMPTY_ROOT).signed(KEY)
    assert verified_checkpoint(other_log, KEY.verifier()) is None


def test_signatures_of_unknown_keys_are_passed_over_and_a_bad_one_of_ours_is_not() -> None:
    witness = SigningKey("witness.example", bytes(32)).sign(CHECKPOINT.text()).split("\n")[-2]
    assert verified_checkpoint(f"{NOTE}{witness}\n", KEY.verifier()) == CHECKPOINT
    forged = SigningKey("chekt-mcp/acme", bytes(range(32))).sign("other\n").split("\n")[-2]
    assert verified_checkpoint(f"{NOTE}{forged}\n", KEY.verifier()) is None


@pytest.mark.parametrize(
    "text",
    [
        "chekt-mcp/acme\n07\n{root}\n",
        "chekt-mcp/acme\n-7\n{root}\n",
        "chekt-mcp/acme\n+7\n{root}\n",
        "chekt-mcp/acme\n\u0667\n{root}\n",
        "chekt-mcp/acme\n7\nAAAA\n",
        "chekt-mcp/acme\n7\n{root}=\n",
        "chekt-mcp/acme\n7\n",
        "\n7\n{root}\n",
    ],
)
def test_what_is_almost_a_checkpoint_is_refused(text: str) -> None:
    signed = KEY.sign(text.format(root=base64.b64encode(EMPTY_ROOT).decode()))
    with pytest.raises(InvalidInput, match="checkpoint"):
        read_checkpoint(signed)


def test_extension_lines_are_signed_like_the_rest() -> None:
    assert verified_checkpoint(KEY.sign(CHECKPOINT.text() + "seen by a clock\n"), KEY.verifier()) == CHECKPOINT


@pytest.mark.parametrize(
    "note", [NOTE[:-1], NOTE.replace("\n\n", "\n"), NOTE + "\n", NOTE.replace("—", "-"), NOTE.replace("7\n", "7\r\n")]
)
def test_what_is_almost_a_note_is_refused(note: str) -> None:
    with pytest.raises(InvalidInput, match="checkpoint"):
        read_checkpoint(note)


def test_the_key_is_not_shown() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)


def test_a_key_whose_id_does_not_fit_is_refused() -> None:
    name, _, key = str(KEY.verifier()).split("+", 2)
    with pytest.raises(InvalidInput, match="verifier key"):
        read_verifier_key(f"{name}+00000000+{key}")
    assert read_verifier_key(f" {KEY.verifier()}\n") == VerifierKey(KEY.name, KEY.verifier().public)
