"""`chekt-mcp webhook verify`: saved deliveries of several shapes, the verdict with its reasons, 0 for `valid` alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from terminal_child import Done, Machine

BODY = (
    '{"id": "evt_2hKqx9", "type": "alarm.created", "created_at": "2026-07-01T12:00:00Z", "data": {"a": "é"}}'.encode()
)


@pytest.fixture
def secret(ready: Machine) -> str:
    (file,) = ready.secrets.glob("*/shop.signing_secret")
    return file.read_text().strip()


def signed(secret: str, body: bytes = BODY, *, late: int = 0) -> dict[str, str]:
    seconds = str(int(time.time()) - late)
    signature = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-CHeKT-Signature": signature, "X-CHeKT-Timestamp": seconds}


def dump(headers: Mapping[str, str], body: bytes, *, start: str = "POST /chekt HTTP/1.1", end: str = "\r\n") -> bytes:
    lines = [start, "Host: hooks.example.com", *(f"{name}: {value}" for name, value in headers.items())]
    return (end.join(lines) + end * 2).encode() + body


def verify_dump(machine: Machine, content: bytes, *more: str) -> Done:
    file = machine.home / "delivery.http"
    file.write_bytes(content)
    return machine.run("webhook", "verify", "--app", "shop", "--dump", file, *more)


def verify_files(machine: Machine, headers: str | bytes, body: bytes, *more: str) -> Done:
    files = machine.home / "headers", machine.home / "body"
    files[0].write_bytes(headers if isinstance(headers, bytes) else headers.encode())
    files[1].write_bytes(body)
    return machine.run("webhook", "verify", "--app", "shop", "--headers", files[0], "--body", files[1], *more)


@pytest.mark.parametrize("start", ["POST /chekt HTTP/1.1", "POST /chekt HTTP/2", "HTTP/1.1 200 OK", "HTTP/2 200 "])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_genuine_delivery_in_a_dump_is_valid(ready: Machine, secret: str, start: str, end: str) -> None:
    done = verify_dump(ready, dump(signed(secret), BODY, start=start, end=end))
    assert (done.code, done.err) == (0, "")
    assert "verdict: valid\n" in done.out
    assert "signed with: the current secret\n" in done.out
    assert "event: alarm.created evt_2hKqx9 of 2026-07-01T12:00:00Z\n" in done.out
    assert "looked at: 1 time," in done.out
    assert "note: " not in done.out


def test_a_genuine_delivery_in_two_files_is_valid(ready: Machine, secret: str) -> None:
    lines = "\n".join(f"{name.lower()}: {value}" for name, value in signed(secret).items())
    assert verify_files(ready, lines, BODY).code == 0
    assert verify_files(ready, json.dumps(signed(secret, b"{}")), b"{}").code == 0


def test_an_event_signed_afresh_is_valid_and_known_to_be_a_duplicate(ready: Machine, secret: str) -> None:
    assert "duplicate: " not in verify_dump(ready, dump(signed(secret), BODY)).out
    done = verify_dump(ready, dump(signed(secret, late=30), BODY))
    assert (done.code, "duplicate: yes" in done.out) == (0, True)


def test_a_body_of_any_bytes_is_taken_as_it_is(ready: Machine, secret: str) -> None:
    body = bytes(range(256)) + b"\r\n\r\n \n"
    assert verify_files(ready, json.dumps(signed(secret, body)), body).code == 0
    assert verify_dump(ready, dump(signed(secret, body, late=60), body)).code == 0


def test_the_second_time_it_is_a_replay_and_no_longer_0(ready: Machine, secret: str) -> None:
    content = dump(signed(secret), BODY)
    assert verify_dump(ready, content).code == 0
    done = verify_dump(ready, content)
    assert done.code == 1
    assert "verdict: replayed\n" in done.out
    assert "looked at: 2 times," in done.out


def test_a_body_written_anew_is_told_with_the_fix_and_the_line_of_code(ready: Machine, secret: str) -> None:
    rewritten = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    done = verify_dump(ready, dump(signed(secret), rewritten))
    assert done.code == 1
    told = dict(line.split(": ", 1) for line in done.out.splitlines())
    assert (told["verdict"], told["cause"]) == ("invalid", "body_reserialized")
    assert told["explanation"]
    assert told["fix"]
    assert "await request.body()" in told["python"]
    assert "express.raw" in told["node"]
    assert "event" not in told


def test_a_line_end_added_by_an_editor_is_told_and_noted(ready: Machine, secret: str) -> None:
    done = verify_dump(ready, dump({**signed(secret), "Content-Length": str(len(BODY))}, BODY + b"\n"))
    assert done.code == 1
    assert (
        f"note: The head says that the body has {len(BODY)} bytes; after the head the file has {len(BODY) + 1}."
        in done.out
    )


def test_a_chunked_dump_is_not_decoded_and_that_is_said(ready: Machine, secret: str) -> None:
    chunked = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"
    headers = {**signed(secret), "Transfer-Encoding": "chunked"}
    done = verify_dump(ready, dump(headers, chunked))
    assert (done.code, "note: The head says `Transfer-Encoding: chunked`" in done.out) == (1, True)
    assert verify_dump(ready, dump(headers, BODY)).code == 0


def test_one_looked_at_later_is_stale_and_known_to_have_been_fresh(ready: Machine, secret: str) -> None:
    content = dump(signed(secret, late=3600), BODY)
    done = verify_dump(ready, content)
    assert (done.code, "verdict: stale\n" in done.out) == (1, True)
    done = verify_dump(ready, content, "--received-at", "60m")
    assert (done.code, "fresh when received: yes\n" in done.out) == (1, True)


def test_the_secret_of_another_app_is_recognised(ready: Machine, secret: str) -> None:
    ready.ok("app", "add", "depot")
    file = ready.home / "delivery.http"
    file.write_bytes(dump(signed(secret), BODY))
    done = ready.run("webhook", "verify", "--app", "depot", "--dump", file)
    assert done.code == 1
    assert "That app is 'shop'." in done.out


def test_a_signature_that_fits_nothing_and_headers_that_are_missing(ready: Machine) -> None:
    wrong = {"X-CHeKT-Signature": "ab" * 32, "X-CHeKT-Timestamp": str(int(time.time()))}
    assert "verdict: invalid\n" in verify_dump(ready, dump(wrong, BODY)).out
    done = verify_dump(ready, dump({}, BODY))
    assert done.code == 1
    assert "cause: signature_header_missing\n" in done.out


def test_a_body_beyond_1_mib_is_malformed(ready: Machine, secret: str) -> None:
    body = b"x" * (1024 * 1024 + 1)
    for done in (verify_files(ready, json.dumps(signed(secret)), body), verify_dump(ready, dump(signed(secret), body))):
        assert done.code == 1
        assert "cause: body_too_large\n" in done.out


def test_nothing_of_a_delivery_that_nobody_vouches_for_is_shown(ready: Machine) -> None:
    hostile = b'{"id": "SENT\x1b[2J", "type": "SENT"}'
    done = verify_dump(ready, dump({"X-CHeKT-Signature": "SENT", "X-CHeKT-Timestamp": "SENT"}, hostile))
    assert done.code == 1
    assert "SENT" not in done.out + done.err


def test_an_event_that_is_signed_is_shown_escaped(ready: Machine, secret: str) -> None:
    body = b'{"id": "evt_1", "type": "a\\u202eb' + b"c" * 200 + b'"}'
    done = verify_dump(ready, dump(signed(secret, body), body))
    assert done.code == 0
    assert "\u202e" not in done.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "one_delivery"),
        (("--headers", "h"), "one_delivery"),
        (("--body", "b"), "one_delivery"),
        (("--dump", "d", "--body", "b"), "one_delivery"),
        (("--dump", "d", "--headers", "h", "--body", "b"), "one_delivery"),
        (("--dump", "missing"), "unreadable_file"),
        (("--dump", "."), "unreadable_file"),
        (("--dump", "/dev/null"), "bad_dump"),
        (("--headers", "missing", "--body", "/dev/null"), "unreadable_file"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(ready: Machine, arguments: tuple[str, ...], code: str) -> None:
    done = ready.run("webhook", "verify", "--app", "shop", *arguments)
    assert (done.code, done.error, done.out) == (1, code, "")


@pytest.mark.parametrize(
    ("more", "code"), [(("--received-at", "yesterday"), "bad_time"), (("--app", "nobody"), "unknown_app")]
)
def test_what_is_asked_wrongly_is_refused(ready: Machine, secret: str, more: tuple[str, ...], code: str) -> None:
    done = verify_dump(ready, dump(signed(secret), BODY), *more)
    assert (done.code, done.error) == (1, code)


def test_no_secret_is_shown_whatever_the_verdict(ready: Machine, secret: str) -> None:
    stripped = {**signed(f"{secret}\n")}
    based = base64.b64encode(bytes.fromhex(signed(secret)["X-CHeKT-Signature"])).decode()
    for headers in (signed(secret), stripped, {**signed(secret), "X-CHeKT-Signature": based}):
        done = verify_dump(ready, dump(headers, BODY))
        assert secret not in done.out + done.err


def test_every_look_is_in_the_log(ready: Machine, secret: str) -> None:
    verify_dump(ready, dump(signed(secret), BODY))
    verify_dump(ready, dump({}, BODY))
    database = b"".join(path.read_bytes() for path in Path(ready.state).glob("chekt.db*"))
    assert b"webhook.verify" in database
    assert b"signature_header_missing" in database
