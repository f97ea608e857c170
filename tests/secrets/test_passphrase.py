from __future__ import annotations

import unicodedata

import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from chekt_mcp.errors import InvalidInput
from chekt_mcp.secrets import passphrase
from chekt_mcp.secrets.passphrase import check_new_passphrase, hash_passphrase, passphrase_matches

WORDS = "EXAMPLE words of a passphrase"
SALT, OTHER_SALT = b"s" * 16, b"t" * 16


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked here does not hang on the cost."""
    monkeypatch.setattr(passphrase, "COST", 2**4)


def test_the_hash_is_scrypt_with_the_documented_cost() -> None:
    documented = Scrypt(salt=SALT, length=32, n=32768, r=8, p=1)
    assert hash_passphrase(WORDS, SALT) == documented.derive(WORDS.encode())


@pytest.mark.usefixtures("cheap")
def test_the_right_passphrase_matches_and_no_other_does() -> None:
    digest = hash_passphrase(WORDS, SALT)
    assert passphrase_matches(WORDS, SALT, digest)
    for wrong in ("", WORDS + " ", WORDS.upper(), WORDS[:-1]):
        assert not passphrase_matches(wrong, SALT, digest)
    assert not passphrase_matches(WORDS, OTHER_SALT, digest)
    assert not passphrase_matches(WORDS, SALT, b"")


@pytest.mark.usefixtures("cheap")
def test_two_ways_to_compose_a_letter_are_one_passphrase() -> None:
    word = "na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve EXAMPLE"
    digest = hash_passphrase(unicodedata.normalize("NFC", word), SALT)
    assert passphrase_matches(unicodedata.normalize("NFD", word), SALT, digest)


@pytest.mark.usefixtures("cheap")
def test_bytes_that_are_no_text_are_compared_and_never_quoted() -> None:
    typed = b"EXAMPLE \xff".decode("utf-8", "surrogateescape")
    assert passphrase_matches(typed, SALT, hash_passphrase(typed, SALT))


@pytest.mark.parametrize("text", ["", "elevenchars", "e\N{COMBINING ACUTE ACCENT}" * 11])
def test_a_new_passphrase_under_12_characters_is_weak(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_new_passphrase(text)
    assert (caught.value.code, caught.value.field) == ("weak_passphrase", "passphrase")
    assert not text or text not in str(caught.value)


def test_12_characters_are_enough() -> None:
    check_new_passphrase("twelve chars")
