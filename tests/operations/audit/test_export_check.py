"""Every way to alter an export, its manifest, its proof or its key is found, with nothing but the files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.domain.checkpoint import Checkpoint, origin_of, read_checkpoint
from chekt_mcp.domain.export_manifest import FileStatement, Manifest, read_manifest
from chekt_mcp.domain.signed_note import SigningKey
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.checkpoint_key import signing_key
from chekt_mcp.operations.audit.export_audit import ExportRequest, export_log
from chekt_mcp.operations.audit.export_check import ExportCheck, ExportStatus, Given, check_export
from chekt_mcp.operations.audit.export_file import manifest_path, proof_path
from chekt_mcp.operations.audit.export_format import ExportFormat
from chekt_mcp.operations.audit.export_target import target_of
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint
from export_samples import entry, operator
from world import World

pytestmark = pytest.mark.anyio

MINE = SigningKey(origin_of("acme"), b"forged seed, 32 bytes long......")


@dataclass(frozen=True)
class Made:
    """An export with proofs of every third entry, and the log's key."""

    path: Path
    key: SigningKey

    def check(self, **given: Any) -> ExportCheck:
        return check_export(Given(self.path, manifest_path(self.path), proof_path(self.path), **given))

    def codes(self, **given: Any) -> set[str]:
        check = self.check(**given)
        assert (check.status is ExportStatus.ALTERED) == bool(check.problems)
        return {problem.code for problem in check.problems}

    @property
    def trusted(self) -> str:
        return str(self.key.verifier())

    def manifest(self) -> Manifest:
        return read_manifest(manifest_path(self.path).read_bytes()).manifest

    def sign(self, manifest: Manifest, key: SigningKey) -> None:
        manifest_path(self.path).write_text(manifest.signed(key))

    def forge(self, content: bytes, key: SigningKey, **changes: Any) -> None:
        """Replace the file, and sign a manifest that fits it."""
        self.path.write_bytes(content)
        statement = FileStatement(self.path.name, len(content), sha256(content).hexdigest())
        self.sign(replace(self.manifest(), file=statement, **changes), key)


async def export(world: World, path: Path, form: ExportFormat = ExportFormat.JSONL, *, proofs: bool = False) -> Made:
    target = target_of(path, manifest_path(path), proofs=proofs, force=False)
    request = ExportRequest(("shop",), since="9999d", filters={"result": "denied"}, form=form, proofs=proofs)
    await export_log(world.services(), operator(world), request, target, lambda _: None)
    return Made(path, await signing_key(world.services(), "acme"))


@pytest.fixture
async def logged(world: World) -> World:
    await world.add_app("shop")
    await world.log(*(entry(world, number, details={"n": number}) for number in range(40)))
    return world


@pytest.fixture
async def made(logged: World, tmp_path: Path) -> Made:
    return await export(logged, tmp_path / "a.jsonl", proofs=True)


@pytest.mark.parametrize("form", list(ExportFormat))
async def test_what_was_exported_is_consistent_and_verified_with_the_key(
    logged: World, tmp_path: Path, form: ExportFormat
) -> None:
    made = await export(logged, tmp_path / f"a.{form}", form)
    check = made.check()
    assert (check.status, check.rows, check.included) == (ExportStatus.CONSISTENT, 14, False)
    assert made.check(key=made.trusted).status is ExportStatus.VERIFIED


async def test_with_proofs_every_entry_is_shown_to_be_in_the_log(made: Made) -> None:
    check = made.check(key=made.trusted)
    assert (check.status, check.rows, check.included) == (ExportStatus.VERIFIED, 14, True)
    assert len(proof_path(made.path).read_bytes()) % 32 == 0


async def test_a_checkpoint_that_was_kept_vouches_for_its_key(logged: World, made: Made) -> None:
    same = await logged.storage.read(lambda reader: reader.checkpoint_at("acme", made.manifest().log_size))
    assert same is not None
    check = made.check(against=same.note)
    assert (check.status, check.compared) == (ExportStatus.VERIFIED, True)
    later = await make_checkpoint(logged.services(), "acme")
    check = made.check(against=later.note)
    assert (check.status, check.compared) == (ExportStatus.VERIFIED, False)


def edit(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b"devices.list", b"devices.lisT"), *lines[1:]]


ALTERATIONS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a row edited": edit,
    "a row removed": lambda lines: lines[1:],
    "the last row removed": lambda lines: lines[:-1],
    "a row added": lambda lines: [*lines, lines[-1].replace(b'"seq":40', b'"seq":41')],
    "a row doubled": lambda lines: [lines[0], *lines],
    "rows reordered": lambda lines: [lines[1], lines[0], *lines[2:]],
    "a row renumbered": lambda lines: [lines[0].replace(b'"seq":1,', b'"seq":2,'), *lines[1:]],
    "a salt changed": lambda lines: [lines[0].replace(b'"salt":"', b'"salt":"00'), *lines[1:]],
    "a row of another dealer": lambda lines: [lines[0].replace(b'"acme"', b'"evil"'), *lines[1:]],
    "written otherwise": lambda lines: [json.dumps(json.loads(line)).encode() + b"\n" for line in lines],
    "cut in the middle": lambda lines: [*lines[:5], lines[5][:20]],
    "without the last line feed": lambda lines: [*lines[:-1], lines[-1][:-1]],
    "emptied": lambda _: [],
    "no json": lambda lines: [b"{\n", *lines[1:]],
    "deeply nested": lambda lines: [b"[" * 100_000 + b"\n", *lines[1:]],
}


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS)
async def test_an_altered_file_is_found(made: Made, alter: Callable[[list[bytes]], list[bytes]]) -> None:
    made.path.write_bytes(b"".join(alter(made.path.read_bytes().splitlines(keepends=True))))
    assert {"file_altered", "not_in_log"} <= made.codes(key=made.trusted)
    assert "file_altered" in made.codes()


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS)
async def test_even_whoever_has_the_logs_key_cannot_put_an_entry_into_the_tree(
    made: Made, alter: Callable[[list[bytes]], list[bytes]]
) -> None:
    altered = alter(made.path.read_bytes().splitlines(keepends=True))
    made.forge(b"".join(altered), made.key, rows=len(altered))
    assert made.codes(key=made.trusted) == {"not_in_log"}


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 13},
        {"dealer": "evil"},
        {"apps": ["till"]},
        {"since": "2020-01-01T00:00:00.000000Z"},
        {"filter": {}},
        {"log_size": 39},
        {"proof": None},
        {"exported_by": "terminal:alice"},
    ],
    ids=str,
)
async def test_an_altered_manifest_is_found(made: Made, changes: dict[str, Any]) -> None:
    found = json.loads(manifest_path(made.path).read_bytes())
    manifest_path(made.path).write_text(json.dumps({**found, "manifest": {**found["manifest"], **changes}}))
    assert "bad_signature" in made.codes()
    assert "bad_signature" in made.codes(key=made.trusted)


async def test_another_key_makes_files_that_fit_and_are_not_verified(made: Made) -> None:
    stolen = read_checkpoint(made.manifest().checkpoint)[0]
    forged = replace(made.manifest(), log_key=str(MINE.verifier()), checkpoint=stolen.signed(MINE))
    made.sign(forged, MINE)
    assert made.check().status is ExportStatus.CONSISTENT
    assert "another_key" in made.codes(key=made.trusted)


async def test_another_key_does_not_pass_for_the_one_that_signed_a_kept_checkpoint(logged: World, made: Made) -> None:
    kept = await make_checkpoint(logged.services(), "acme")
    stolen = read_checkpoint(made.manifest().checkpoint)[0]
    made.sign(replace(made.manifest(), log_key=str(MINE.verifier()), checkpoint=stolen.signed(MINE)), MINE)
    assert "another_key" in made.codes(against=kept.note)


async def test_a_manifest_signed_by_one_key_over_anothers_checkpoint_is_found(made: Made) -> None:
    made.sign(replace(made.manifest(), log_key=str(MINE.verifier())), MINE)
    assert "bad_checkpoint" in made.codes()
    made.sign(replace(made.manifest(), log_key=made.trusted), MINE)
    assert "bad_signature" in made.codes(key=made.trusted)


async def test_a_history_that_was_rewritten_is_found_by_a_checkpoint_of_the_same_size(made: Made) -> None:
    size = made.manifest().log_size
    other = Checkpoint(origin_of("acme"), size, b"x" * 32)
    assert made.codes(against=other.signed(made.key)) == {"another_history"}
    made.sign(replace(made.manifest(), checkpoint=other.signed(made.key)), made.key)
    assert made.codes(key=made.trusted) == {"not_in_log"}


@pytest.mark.parametrize(
    "checkpoint",
    [Checkpoint(origin_of("other"), 42, b"x" * 32), Checkpoint(origin_of("acme"), 3, b"x" * 32)],
    ids=["another log", "another size"],
)
async def test_a_checkpoint_of_another_log_or_size_is_found(made: Made, checkpoint: Checkpoint) -> None:
    key = SigningKey(checkpoint.origin, made.key.seed)
    made.sign(replace(made.manifest(), log_key=str(key.verifier()), checkpoint=checkpoint.signed(key)), key)
    assert "another_log" in made.codes()


async def test_the_manifest_of_another_export_does_not_fit(logged: World, made: Made, tmp_path: Path) -> None:
    other = await export(logged, tmp_path / "b.jsonl")
    manifest_path(made.path).write_bytes(manifest_path(other.path).read_bytes())
    assert made.codes() == {"file_altered"}


@pytest.mark.parametrize(
    "alter",
    [
        lambda proof: proof[:-32],
        lambda proof: proof[:-1],
        lambda proof: proof + b"x" * 32,
        lambda proof: bytes([proof[0] ^ 1]) + proof[1:],
        lambda proof: proof[32:64] + proof[:32] + proof[64:],
    ],
)
async def test_an_altered_proof_is_found(made: Made, alter: Callable[[bytes], bytes]) -> None:
    proof = proof_path(made.path)
    proof.write_bytes(alter(proof.read_bytes()))
    assert made.codes() == {"proof_altered", "not_in_log"}


@pytest.mark.parametrize(
    ("name", "field"), [("a.jsonl", "file"), ("a.jsonl.manifest.json", "manifest"), ("a.jsonl.proof", "proof")]
)
async def test_without_one_of_the_files_there_is_no_answer(made: Made, name: str, field: str) -> None:
    made.path.with_name(name).unlink()
    with pytest.raises(InvalidInput) as caught:
        made.check()
    assert (caught.value.code, caught.value.message) == ("unreadable_file", f"The {field} cannot be read.")


@pytest.mark.parametrize(
    ("given", "code"),
    [({"key": "chekt-mcp/acme+00+AAAA"}, "bad_verifier_key"), ({"against": "hello\n"}, "bad_checkpoint")],
)
async def test_a_key_or_checkpoint_that_is_none_is_no_answer(made: Made, given: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        made.check(**given)
    assert caught.value.code == code


async def test_an_export_of_nothing_and_a_log_of_nothing_are_checked_too(world: World, tmp_path: Path) -> None:
    await world.add_app("shop")
    made = await export(world, tmp_path / "empty.jsonl", proofs=True)
    check = made.check(key=made.trusted)
    assert (check.status, check.rows, check.included, check.manifest.log_size) == (ExportStatus.VERIFIED, 0, True, 0)
    made.path.write_bytes(b"{}\n")
    assert made.codes(key=made.trusted) == {"file_altered", "other_rows", "not_in_log"}
