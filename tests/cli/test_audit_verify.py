"""`chekt-mcp audit key`, `checkpoint` and `verify` as a person and a runbook use them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from chekt_mcp.domain.checkpoint import verified_checkpoint
from chekt_mcp.domain.signed_note import read_verifier_key
from tampering import database
from terminal_child import Machine


def kept(machine: Machine) -> Path:
    file = machine.home / "kept.checkpoint"
    file.write_text(machine.ok("audit", "checkpoint"), "utf-8")
    return file


def edit(machine: Machine) -> None:
    with database(machine.state) as connection:
        connection.execute("UPDATE entries SET ts = ts + 1 WHERE id = (SELECT min(id) FROM entries)")


def test_a_checkpoint_is_printed_alone_and_verifies_with_the_printed_key(ready: Machine) -> None:
    printed, key = ready.ok("audit", "checkpoint"), ready.ok("audit", "key")
    checkpoint = verified_checkpoint(printed, read_verifier_key(key))
    assert checkpoint is not None
    assert checkpoint.size > 0
    assert ready.ok("audit", "checkpoint") == printed
    assert ready.ok("audit", "key") == key


def test_the_exit_code_tells_verified_unanchored_tampered_and_no_answer_apart(ready: Machine) -> None:
    file = kept(ready)
    verified, alone = ready.run("audit", "verify", "--against", file), ready.run("audit", "verify")
    assert (verified.code, alone.code) == (0, 3)
    assert verified.out.startswith("verified: nothing was altered in the first ")
    assert f"{file} vouches" in verified.out
    assert alone.out.startswith("unanchored: ")
    assert "nobody outside vouches" in alone.out
    assert "audit checkpoint > FILE" in alone.err
    assert ready.run("audit", "verify", "--against", ready.home / "none").code == 2
    edit(ready)
    tampered = ready.run("audit", "verify", "--against", file, "--full")
    assert tampered.code == 1
    assert "edited: Entry 1 is not what was logged" in tampered.out


def test_a_file_that_is_no_checkpoint_is_a_mistake_and_no_tampering(ready: Machine) -> None:
    (ready.home / "x").write_text("hello\n")
    done = ready.run("audit", "verify", "--against", ready.home / "x")
    assert (done.code, done.out) == (2, "")
    assert "error: bad_checkpoint: That is no signed checkpoint" in done.err


def test_a_changed_checkpoint_does_not_pass(ready: Machine) -> None:
    file = kept(ready)
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([lines[0], f"{int(lines[1]) + 1}\n", *lines[2:]]), "utf-8")
    done = ready.run("audit", "verify", "--against", file)
    assert done.code == 1
    assert "was not signed by the key" in done.out


def test_a_programs_form_and_the_proof_of_a_request(ready: Machine) -> None:
    file = kept(ready)
    entry = "SELECT request_id FROM entries ORDER BY id LIMIT 1"
    with database(ready.state) as connection:
        ((request_id,),) = connection.execute(entry).fetchall()
    done = ready.run("audit", "verify", "--against", file, "--request-id", request_id, "--format", "json")
    result = json.loads(done.out)
    assert (result["status"], result["checkpoint"]) == ("verified", file.read_text("utf-8"))
    assert {proof["request_id"] for proof in result["proofs"]} == {request_id}
    assert all(proof["anchored"] for proof in result["proofs"])


def test_an_anchoring_command_is_handed_the_checkpoint_and_asked_again(ready: Machine) -> None:
    place = ready.home / "anchor"
    keep = f"{sys.executable} -c 'import sys; open(sys.argv[1], \"w\").write(sys.stdin.read())' {place}"
    ask = f"{sys.executable} -c 'import sys; print(open(sys.argv[1]).read(), end=\"\")' {place}"
    configured = {"CHEKT_MCP_ANCHOR_COMMAND": keep, "CHEKT_MCP_ANCHOR_ASK": ask, "PYTHONUTF8": "1"}
    anchored = replace(ready, variables={**ready.variables, **configured})
    assert anchored.ok("audit", "checkpoint") == place.read_text("utf-8")
    assert anchored.run("audit", "verify").code == 0
    assert "it keeps a checkpoint of" in anchored.run("doctor").out
    place.unlink()
    away = anchored.run("audit", "verify")
    assert away.code == 3, "a receipt in our own database makes nothing verified"
    assert "The command that keeps checkpoints failed: it ended with exit code 1." in away.out


def test_doctor_says_that_nobody_keeps_checkpoints(ready: Machine) -> None:
    assert "none is configured: whether the whole log was rewritten" in ready.run("doctor").out
