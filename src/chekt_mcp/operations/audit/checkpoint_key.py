"""The key that signs a dealer's checkpoints: made at its first use, sealed at rest, its public half for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field

from anyio import to_thread

from chekt_mcp.domain.checkpoint import origin_of
from chekt_mcp.domain.signed_note import KEY_LENGTH, SigningKey, VerifierKey
from chekt_mcp.operations.keys.key_material import dealer_record
from chekt_mcp.operations.services import Sealing, Services
from chekt_mcp.storage.interface import Reader, Writer

IDENTITY = "checkpoint key"
"""What binds the sealed key to its place."""


@dataclass(frozen=True, slots=True)
class _StoredKey:
    """Both halves as they are kept: the seed sealed, the public key as it is."""

    sealed: bytes = field(repr=False)
    public: bytes


async def verifier_key(reader: Reader, dealer: str) -> VerifierKey | None:
    """Return the public key of a dealer's log; None where it has not signed anything yet, or what is stored is none."""
    public: object = await reader.server_secret(_public_name(dealer))
    if not isinstance(public, bytes) or len(public) != KEY_LENGTH:
        return None
    return VerifierKey(origin_of(dealer), public)


async def signing_key(services: Services, dealer: str) -> SigningKey:
    """Return the key, making it where there is none; of two processes at once both return the same one.

    Raises:
        SecretUnreadable: the key-encryption key cannot be had, or does not open it.
    """
    # It can be a command that takes long, and a server that stops need not wait for it.
    sealing = await to_thread.run_sync(services.sealing, abandon_on_cancel=True)
    stored = await services.storage.read(lambda reader: reader.server_secret(_sealed_name(dealer)))
    wrapped = (await services.storage.read(lambda reader: dealer_record(reader, dealer))).wrapped_key
    if stored is None:
        fresh = _fresh(services, sealing, dealer, wrapped)
        stored = await services.storage.write(lambda writer: _keep(writer, dealer, fresh))
    seed = bytes.fromhex(sealing.open(wrapped, dealer, IDENTITY, stored))
    return SigningKey(origin_of(dealer), seed)


def _fresh(services: Services, sealing: Sealing, dealer: str, wrapped: bytes) -> _StoredKey:
    key = SigningKey(origin_of(dealer), services.random(KEY_LENGTH))
    return _StoredKey(sealing.seal(wrapped, dealer, IDENTITY, key.seed.hex()), key.verifier().public)


async def _keep(writer: Writer, dealer: str, fresh: _StoredKey) -> bytes:
    sealed = await writer.make_server_secret(_sealed_name(dealer), fresh.sealed)
    if sealed == fresh.sealed:
        await writer.make_server_secret(_public_name(dealer), fresh.public)
    return sealed


def _sealed_name(dealer: str) -> str:
    return f"checkpoint-key/{dealer}"


def _public_name(dealer: str) -> str:
    return f"checkpoint-public-key/{dealer}"
