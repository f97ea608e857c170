"""Signed notes (C2SP signed-note) with Ed25519 keys (RFC 8032): a text, an empty line, and who vouches for it.

A signature line is an em dash, a space, the key's name, a space, and base64 of the key's id (4 bytes) and signature.
A verifier key is `name+id+key`: the id in hex, the key as base64 of the byte 01 and the 32 bytes of the public key.
Lines of keys that a reader does not know are passed over, as the format wants it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from chekt_mcp.errors import InvalidInput

ED25519 = b"\x01"
KEY_LENGTH = 32
_ID_LENGTH = 4
LONGEST = 16_384
"""Characters of a note that anybody may hand us."""
MOST_SIGNATURES = 16

_LINE = re.compile("— ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})")
_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under its name, which may hold neither white space nor a plus sign."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell one key of a name from another."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:_ID_LENGTH]

    def __str__(self) -> str:
        """Return `name+id+key`, the form to hand out."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether this key made `signature` over `text`."""
        # Start-up is measured, and few calls look at a checkpoint.
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs: `seed` is the 32 bytes of RFC 8032, 5.1.5."""

    name: str
    seed: bytes = field(repr=False)

    def verifier(self) -> VerifierKey:
        """Return the public half."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- as above

        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note: `text`, which ends with a newline, and one signature. The same text gives the same note."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- as above

        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        signed = base64.b64encode(self.verifier().key_id + signature).decode()
        return f"{text}\n— {self.name} {signed}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note; not verified yet."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart; `text` is what the signatures are over, its last newline included."""

    text: str
    signatures: tuple[Signature, ...]

    def signed_by(self, key: VerifierKey) -> bool:
        """Tell whether one of the signatures is by this key, and good. A bad one in its name spoils the note."""
        own = [one.signature for one in self.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
        return bool(own) and all(key.verifies(self.text, signature) for signature in own)


def read_note(content: str) -> Note:
    """Take a note apart, without looking at whether its signatures are good.

    Raises:
        InvalidInput: code `bad_checkpoint`; it is no signed note.
    """
    if len(content) > LONGEST:
        raise _bad("it is too long")
    if any(ord(character) < ord(" ") and character != "\n" for character in content):
        raise _bad("it holds control characters")
    text, parted, lines = content.rpartition("\n\n")
    if not parted or not text or not lines.endswith("\n"):
        raise _bad("it has no signatures after an empty line, or does not end with a newline")
    signatures = tuple(_signatures(lines[:-1].split("\n")))
    if not 0 < len(signatures) <= MOST_SIGNATURES:
        raise _bad(f"it has more than {MOST_SIGNATURES} signatures")
    return Note(f"{text}\n", signatures)


def read_verifier_key(text: str) -> VerifierKey:
    """Read `name+id+key`.

    Raises:
        InvalidInput: code `bad_verifier_key`.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    content = _base64(encoded)
    key = VerifierKey(name, content[1:])
    known = content[:1] == ED25519 and len(key.public) == KEY_LENGTH and _NAME.fullmatch(name)
    if not known or key.key_id.hex() != key_id:
        raise InvalidInput(
            "That is no verifier key of a log.",
            field="key",
            code="bad_verifier_key",
            fix="Copy it whole from `chekt-mcp audit key`: name+id+key.",
        )
    return key


def _signatures(lines: list[str]) -> Iterator[Signature]:
    for line in lines:
        found = _LINE.fullmatch(line)
        content = _base64(found[2]) if found else b""
        if found is None or len(content) <= _ID_LENGTH:
            raise _bad("a line below its empty line is no signature")
        yield Signature(found[1], content[:_ID_LENGTH], content[_ID_LENGTH:])


def _base64(text: str) -> bytes:
    """Return the bytes; none for what is no base64, or is not the one way to write these bytes."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return content if base64.b64encode(content).decode() == text else b""


def _bad(why: str) -> InvalidInput:
    return InvalidInput(
        f"That is no signed checkpoint: {why}.",
        field="checkpoint",
        code="bad_checkpoint",
        fix="Give a file as `chekt-mcp audit checkpoint` printed it, unchanged.",
    )
