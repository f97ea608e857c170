"""Checkpoints: signed when due, never over a log that was changed, handed out until somebody outside has them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import pytest

from chekt_mcp.anchors.interface import Anchor
from chekt_mcp.domain.checkpoint import verified_checkpoint
from chekt_mcp.errors import Conflict, SecretUnreadable, Unavailable
from chekt_mcp.operations.audit.checkpoint_key import signing_key, verifier_key
from chekt_mcp.operations.audit.checkpoint_worker import CheckpointWorker
from chekt_mcp.operations.audit.make_checkpoint import REFUSED, make_checkpoint
from chekt_mcp.operations.services import Limits, Sealing, Services
from chekt_mcp.storage.records import StoredCheckpoint
from tampering import database, numbered
from world import World

pytestmark = pytest.mark.anyio


@dataclass
class Keeper:
    """An anchor that counts what it is given, and fails as often as it is told."""

    kept: list[str] = field(default_factory=list)
    failures: int = 0
    away: bool = False
    name: str = "keeper"

    async def keep(self, dealer: str, note: str) -> str:
        if self.failures:
            self.failures -= 1
            raise Unavailable("It is away.", code="anchor_failed")
        self.kept.append(note)
        return f"kept for {dealer}"

    async def newest(self, dealer: str) -> str | None:  # noqa: ARG002 -- an anchor's form
        if self.away:
            raise Unavailable("It is away.", code="anchor_failed")
        return self.kept[-1] if self.kept else None


@pytest.fixture
async def logged(world: World) -> World:
    await world.add_app("shop")
    await world.log(*numbered(300))
    return world


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def services(world: World, *anchors: Anchor) -> Services:
    made = replace(world.services(), limits=Limits(checkpoint_entries=10, checkpoint_seconds=60))
    return replace(made, anchors=lambda: anchors)


async def newest(world: World) -> StoredCheckpoint | None:
    return await world.storage.read(lambda reader: reader.checkpoint("acme"))


async def test_a_checkpoint_is_signed_by_the_key_that_is_handed_out(logged: World) -> None:
    made = await make_checkpoint(logged.services(), "acme")
    key = await logged.storage.read(lambda reader: verifier_key(reader, "acme"))
    assert key is not None
    assert key == (await signing_key(logged.services(), "acme")).verifier()
    checkpoint = verified_checkpoint(made.note, key)
    assert checkpoint is not None
    assert (checkpoint.size, checkpoint.root, made.size) == (300, made.root, 300)
    assert await make_checkpoint(logged.services(), "acme") == made, "nothing was added since"


async def test_dealers_have_keys_of_their_own(logged: World) -> None:
    await logged.add_app("desk", dealer="other")
    keys = [await signing_key(logged.services(), dealer) for dealer in ("acme", "other")]
    assert keys[0].seed != keys[1].seed
    assert [key.name for key in keys] == ["chekt-mcp/acme", "chekt-mcp/other"]


async def test_the_key_is_sealed_at_rest(logged: World) -> None:
    seed = (await signing_key(logged.services(), "acme")).seed
    await logged.storage.close()
    content = b"".join(file.read_bytes() for file in logged.directory.glob("chekt.db*"))
    assert seed not in content
    assert seed.hex().encode() not in content


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_tiles SET root = zeroblob(32)",
        "UPDATE logs SET peaks = zeroblob(length(peaks))",
        "UPDATE checkpoints SET root = zeroblob(32)",
        "UPDATE checkpoints SET note = 'none'",
        "UPDATE logs SET size = 256, peaks = (SELECT root FROM log_tiles)",
    ],
)
async def test_a_log_that_does_not_continue_the_last_checkpoint_is_not_signed(logged: World, change: str) -> None:
    await make_checkpoint(logged.services(), "acme")
    await logged.log(*numbered(1))
    with database(logged.directory) as connection:
        assert connection.execute(change).rowcount == 1
    with pytest.raises(Conflict, match="Nothing was signed") as refused:
        await make_checkpoint(logged.services(), "acme")
    assert refused.value.code == "log_inconsistent"


async def test_a_checkpoint_is_due_after_so_many_entries_or_so_long(logged: World) -> None:
    worker = CheckpointWorker(lambda: services(logged))
    sizes = []
    for count, seconds in ((0, 0), (9, 59), (1, 0), (0, 3600), (1, 0), (1, 59), (0, 1)):
        await logged.log(*numbered(count))
        logged.clock.forward(seconds=seconds)
        await worker.look()
        made = await newest(logged)
        sizes.append(made.size if made else 0)
    assert sizes == [300, 300, 310, 310, 311, 311, 312], "310: ten entries; 311: an hour old; 312: 60 s old"


async def test_stopping_signs_what_came_last(logged: World) -> None:
    worker = CheckpointWorker(lambda: services(logged))
    await worker.look()
    await logged.log(*numbered(1))
    await worker.finish()
    made = await newest(logged)
    assert made is not None
    assert made.size == 301


async def test_a_state_that_could_not_be_opened_once_is_looked_at_again(
    logged: World, caplog: pytest.LogCaptureFixture
) -> None:
    opened = [OSError("too many open files")]

    def open_services() -> Services:
        if opened:
            raise opened.pop()
        return services(logged)

    worker = CheckpointWorker(open_services)
    with caplog.at_level(logging.WARNING):
        await worker.look()
    assert [record.message for record in caplog.records] == ["unexpected while signing the log: OSError"]
    await worker.look()
    assert await newest(logged) is not None


async def test_what_a_server_raises_passes_as_it_is_and_the_log_is_signed(logged: World) -> None:
    async def serve() -> None:
        async with CheckpointWorker(lambda: services(logged)).beside():
            await logged.log(*numbered(1))
            raise Unavailable("There is no more room.")

    with pytest.raises(Unavailable, match="no more room"):
        await serve()
    made = await newest(logged)
    assert made is not None
    assert made.size == 301


async def test_a_refusal_becomes_one_entry_and_one_warning(logged: World, caplog: pytest.LogCaptureFixture) -> None:
    worker = CheckpointWorker(lambda: services(logged))
    await worker.look()
    await logged.log(*numbered(20))
    with database(logged.directory) as connection:
        connection.execute("UPDATE checkpoints SET root = zeroblob(32)")
    with caplog.at_level(logging.WARNING):
        await worker.look()
        await worker.look()
    (refused,) = await logged.entries(apps=(), dealer_wide=True)
    assert (refused.action, refused.result.value) == (REFUSED, "error")
    (record,) = caplog.records
    assert record.message.startswith(
        "acme: The stored checkpoint was not signed by this log's key. Nothing was signed."
    )


async def test_an_anchor_that_failed_gets_the_checkpoint_later(
    logged: World, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    keeper.failures = 1
    worker = CheckpointWorker(lambda: services(logged, keeper))
    await worker.look()
    await worker.look()
    assert (keeper.kept, len(caplog.records)) == ([], 1), "it is left alone for a minute"
    logged.clock.forward(minutes=1)
    await worker.look()
    made = await newest(logged)
    assert made is not None
    assert keeper.kept == [made.note]
    (kept,) = await logged.storage.read(lambda reader: reader.anchors("acme"))
    assert (kept.size, kept.anchor, kept.receipt) == (300, "keeper", "kept for acme")
    logged.clock.forward(minutes=1)
    await worker.look()
    assert len(keeper.kept) == 1, "it has it"


def empty_the_checkpoints(world: World, *changes: str) -> None:
    """Do what somebody does who changes the log and wants it signed anew."""
    with database(world.directory) as connection:
        for change in ("DELETE FROM checkpoints", *changes):
            connection.execute(change)


async def test_a_changed_log_without_its_checkpoints_is_held_against_the_anchors_before_it_is_signed(
    logged: World, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    worker = CheckpointWorker(lambda: services(logged, keeper))
    await worker.look()
    empty_the_checkpoints(logged, "UPDATE log_tiles SET root = zeroblob(32)")
    await logged.log(*numbered(20))
    await worker.look()
    assert await newest(logged) is None
    assert len(keeper.kept) == 1
    assert "No checkpoint is stored, and an anchor has one that does not fit. Up to entry 300" in caplog.text
    (refused,) = await logged.entries(apps=(), dealer_wide=True)
    assert refused.action == REFUSED


async def test_a_log_cut_below_its_anchor_is_not_signed_for_want_of_a_checkpoint(logged: World, keeper: Keeper) -> None:
    await CheckpointWorker(lambda: services(logged, keeper)).look()
    empty_the_checkpoints(logged, "UPDATE logs SET size = 256, peaks = (SELECT root FROM log_tiles)")
    with pytest.raises(Conflict, match="keeper says it had 300"):
        await make_checkpoint(services(logged, keeper), "acme")


async def test_an_anchor_of_another_installation_is_said_to_be_one(logged: World, keeper: Keeper) -> None:
    await logged.add_app("desk", dealer="beta")
    await logged.log(*numbered(1, dealer="beta", app="desk"))
    keeper.kept = [(await make_checkpoint(logged.services(), "beta")).note]
    with pytest.raises(Conflict, match="of another installation"):
        await make_checkpoint(services(logged, keeper), "acme")


async def test_an_untouched_log_that_lost_its_checkpoints_is_signed_again(logged: World, keeper: Keeper) -> None:
    worker = CheckpointWorker(lambda: services(logged, keeper))
    await worker.look()
    empty_the_checkpoints(logged)
    await logged.log(*numbered(20))
    await worker.look()
    made = await newest(logged)
    assert made is not None
    assert made.size == 320


async def test_an_anchor_that_cannot_tell_does_not_hold_up_the_first_signature(logged: World, keeper: Keeper) -> None:
    keeper.away = True
    await CheckpointWorker(lambda: services(logged, keeper)).look()
    made = await newest(logged)
    assert made is not None
    assert made.size == 300


async def test_one_dealer_in_trouble_does_not_keep_the_others_from_being_signed(logged: World) -> None:
    await logged.add_app("desk", dealer="beta")
    await logged.log(*numbered(1, dealer="beta", app="desk"))
    await CheckpointWorker(lambda: services(logged)).look()
    with database(logged.directory) as connection:
        connection.execute("UPDATE checkpoints SET note = '' WHERE size = 300")
    await logged.log(*numbered(20), *numbered(20, dealer="beta", app="desk"))
    await CheckpointWorker(lambda: services(logged)).look()
    made = await logged.storage.read(lambda reader: reader.checkpoint("beta"))
    assert made is not None
    assert made.size == 21


async def test_without_the_key_encryption_key_nothing_is_signed_and_nothing_ends(
    logged: World, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable() -> Sealing:
        raise SecretUnreadable("The key-encryption key file cannot be read.")

    await CheckpointWorker(lambda: replace(services(logged), sealing=unreadable)).look()
    assert await newest(logged) is None
    assert "cannot be read" in caplog.text
