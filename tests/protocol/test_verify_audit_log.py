"""`verify_audit_log` as a client calls it: what it says, what it proves, and whose entries it keeps to itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from chekt_mcp.anchors.interface import Anchor
from chekt_mcp.domain.merkle import verify_inclusion
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint
from chekt_mcp.operations.services import Services
from tampering import database, log_of, numbered
from world import Era, World, structured, words

pytestmark = pytest.mark.anyio
TOOL = "verify_audit_log"


@dataclass
class Keeper:
    """An anchor that keeps the checkpoints it is given, or fails."""

    kept: list[str] = field(default_factory=list)
    fails: bool = False
    name: str = "keeper"

    async def keep(self, dealer: str, note: str) -> str:  # noqa: ARG002 -- an anchor's form
        self._check()
        self.kept.append(note)
        return "kept"

    async def newest(self, dealer: str) -> str | None:  # noqa: ARG002 -- an anchor's form
        self._check()
        return self.kept[-1] if self.kept else None

    def _check(self) -> None:
        if self.fails:
            raise Unavailable("It is away.", code="anchor_failed")


@dataclass
class AnchoredWorld(World):
    """A world with an anchor."""

    keeper: Keeper = field(default_factory=Keeper)

    def services(self, *, session_file: Path | None = None) -> Services:
        def anchors() -> list[Anchor]:
            return [self.keeper]

        return replace(World.services(self, session_file=session_file), anchors=anchors)


@pytest.fixture
async def anchored(world: World) -> AnchoredWorld:
    made = AnchoredWorld(world.directory, world.clock, world.random)
    await made.add_app("shop", scopes=(Scope.OPERATORS_READ,))
    await made.add_app("desk")
    await made.log(*numbered(20), *numbered(1, app="desk", details={"of": "desk"}))
    return made


def key(world: World) -> str:
    return world.keys["acme", "shop"]


async def test_an_anchored_log_is_verified_and_its_requests_are_proved(anchored: AnchoredWorld, era: Era) -> None:
    anchored.keeper.kept.append((await make_checkpoint(anchored.services(), "acme")).note)
    async with anchored.client(key(anchored), era) as client:
        answer = await client.call_tool(TOOL, {"request_ids": ["req_7", "req_1", "req_none"]})
    result = structured(answer)
    assert (result["status"], result["anchored_size"], result["problems"]) == ("verified", 21, [])
    assert result["checkpoint"] == anchored.keeper.kept[0]
    assert result["checked"]["whole"]
    assert result["unknown_request_ids"] == ["req_none"]
    assert [(proof["request_id"], proof["seq"], proof["app"]) for proof in result["proofs"]] == [
        ("req_7", 7, "shop"),
        ("req_1", 1, "shop"),
    ], "desk has a request of the same id, which is none of this caller's business"
    for proof in result["proofs"]:
        path = [base64.b64decode(step) for step in proof["path"]]
        leaf, root = base64.b64decode(proof["leaf_hash"]), base64.b64decode(proof["root"])
        assert verify_inclusion(leaf, proof["seq"] - 1, proof["size"], path, root)
        assert proof["anchored"]
    assert "keeper vouches" in words(answer)


async def test_however_often_another_app_has_the_same_request_id_ones_own_entry_is_proved(
    anchored: AnchoredWorld,
) -> None:
    await anchored.log(*[replace(numbered(7)[6], app="desk")] * 30)
    async with anchored.client(key(anchored)) as client:
        found = structured(await client.call_tool(TOOL, {"request_ids": ["req_7"]}))
    assert ([one["seq"] for one in found["proofs"]], found["unknown_request_ids"]) == ([7], [])


async def test_a_receipt_in_the_database_makes_nothing_verified(anchored: AnchoredWorld) -> None:
    from chekt_mcp.operations.audit.anchor_checkpoints import anchor_checkpoint  # noqa: PLC0415 -- this test alone

    checkpoint = await make_checkpoint(anchored.services(), "acme")
    assert await anchor_checkpoint(anchored.services(), "acme", checkpoint) == []
    anchored.keeper.fails = True
    async with anchored.client(key(anchored)) as client:
        answer = await client.call_tool(TOOL, {})
    assert structured(answer)["status"] == "unanchored"
    assert structured(answer)["anchors"] == [{"anchor": "keeper", "size": None, "trouble": "It is away."}]
    assert "nobody outside vouches" in words(answer)


async def test_an_anchor_that_keeps_rubbish_is_trouble_and_no_tampering(anchored: AnchoredWorld) -> None:
    anchored.keeper.kept.append("<html>Please log in</html>")
    async with anchored.client(key(anchored)) as client:
        result = structured(await client.call_tool(TOOL, {}))
    assert result["status"] == "unanchored"
    assert "no signed checkpoint" in result["anchors"][0]["trouble"]


async def test_an_edited_entry_is_told_with_its_place_and_not_proved(anchored: AnchoredWorld) -> None:
    anchored.keeper.kept.append((await make_checkpoint(anchored.services(), "acme")).note)
    with database(anchored.directory) as connection:
        connection.execute("UPDATE entries SET ts = ts + 1 WHERE id = ?", (log_of(connection) + 7,))
    async with anchored.client(key(anchored)) as client:
        answer = await client.call_tool(TOOL, {"request_ids": ["req_7"]})
    result = structured(answer)
    assert result["status"] == "tampered"
    assert [(one["code"], one["first_seq"], one["last_seq"]) for one in result["problems"]] == [("edited", 7, 7)]
    assert result["proofs"][0]["path"] is None
    assert "Entry 7 is not what was logged" in words(answer)
