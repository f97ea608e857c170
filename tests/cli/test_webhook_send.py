"""`chekt-mcp webhook send`: real receivers take what it sends, and nothing they answer harms whoever reads it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chekt_mcp.domain.webhook.sample import SAMPLES
from delivery_receivers import node_receiver, uvicorn_receiver
from terminal_child import Machine

WRONG = "chekt_whsec_test_" + "EXAMPLE" * 6
ECHOED = "chekt_whsec_test_" + "EXAMPLE1" * 5


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None and not os.environ.get("CI"):
        pytest.skip("node is not installed")
    assert found, "node is needed in CI"
    return found


@pytest.fixture
def secret(ready: Machine) -> str:
    (file,) = ready.secrets.glob("*/shop.signing_secret")
    return file.read_text().strip()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Take one request whole, and answer with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        opened, _ = listener.accept()
        with opened, opened.makefile("rb") as request:
            lines = list(iter(request.readline, b"\r\n"))
            request.read(next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")))
            opened.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        thread.join(10)
        listener.close()


def log_of(machine: Machine) -> bytes:
    return b"".join(path.read_bytes() for path in machine.state.glob("chekt.db*"))


def test_our_own_receiver_takes_every_kind_of_sample(ready: Machine, secret: str, tmp_path: Path) -> None:
    with uvicorn_receiver(secret, tmp_path) as url:
        for event in SAMPLES:
            out = ready.ok("webhook", "send", url, "--app", "shop", "--event", event, "--local")
            assert f"event: {event} evt_" in out
            assert "answer: 200 after " in out
            assert 'its body begins: {"received":true}' in out
            assert "count it as received" in out


def test_a_receiver_that_verifies_with_nodes_crypto_takes_it(
    ready: Machine, secret: str, node: str, tmp_path: Path
) -> None:
    with node_receiver(node, secret, tmp_path) as url:
        out = ready.ok("webhook", "send", url, "--app", "shop", "--local", "--attempt", "4")
    assert 'its body begins: {"genuine":true,"attempt":"4"}' in out
    assert "attempt 4" in out


def test_a_receiver_that_writes_the_body_anew_is_found_out(
    ready: Machine, secret: str, node: str, tmp_path: Path
) -> None:
    with node_receiver(node, secret, tmp_path, rewrites=True) as url:
        done = ready.run("webhook", "send", url, "--app", "shop", "--local")
    assert done.code == 1
    assert "answer: 401 after " in done.out
    assert "up to 24 h" in done.out
    assert "chekt-mcp webhook verify --app shop --dump FILE" in done.out


def test_a_receiver_with_another_secret_refuses_it(ready: Machine, tmp_path: Path) -> None:
    with uvicorn_receiver(WRONG, tmp_path) as url:
        done = ready.run("webhook", "send", url, "--app", "shop", "--local")
    assert done.code == 1
    assert "answer: 401" in done.out


def test_data_of_ones_own_under_a_type_of_ones_own(ready: Machine, secret: str, tmp_path: Path) -> None:
    data = ready.home / "data.json"
    data.write_text(json.dumps({"zones": [1, 2]}))
    with uvicorn_receiver(secret, tmp_path) as url:
        out = ready.ok("webhook", "send", url, "--app", "shop", "--local", "--event", "site.armed", "--data", data)
    assert "event: site.armed evt_" in out


def test_what_the_receiver_answers_is_shown_escaped_and_cut(ready: Machine) -> None:
    body = "\x1b[2Jcleared\nmeaning: all is well\u202e\ufffd".encode() + b"\xff\x00" + b"y" * 100_000
    with answering("HTTP/1.1 302 Found\r\nLocation: https://x.example.com/\u202e".encode() + b"\r\n\r\n" + body) as url:
        done = ready.run("webhook", "send", url, "--app", "shop", "--local")
    assert done.code == 1
    assert "answer: 302 after " in done.out
    assert "its Location: https://x.example.com/\\u{202e}\n" in done.out
    assert "its body begins: \\u{1b}[2Jcleared\\u{a}meaning: all is well\\u{202e}" in done.out
    assert sum(line.startswith("meaning: ") for line in done.out.splitlines()) == 1
    assert max(map(len, done.out.splitlines())) < 600
    assert not set(done.out) & set("\x1b\x00\u202e")


def test_a_secret_that_the_receiver_answers_with_is_not_shown(ready: Machine, secret: str) -> None:
    body = f"expected a signature under {secret}, or {ECHOED}"
    with answering(b"HTTP/1.1 401 Unauthorized\r\n\r\n" + body.encode()) as url:
        done = ready.run("webhook", "send", url, "--app", "shop", "--local")
    assert "its body begins: expected a signature under [redacted credential]" in done.out
    assert secret not in done.out + done.err
    assert ECHOED not in done.out


def test_what_is_no_answer_is_said_and_fails(ready: Machine) -> None:
    with answering(b"SSH-2.0-OpenSSH_9.6\r\n") as url:
        done = ready.run("webhook", "send", url, "--app", "shop", "--local")
    assert (done.code, "answer: none (broken_off)" in done.out) == (1, True)
    done = ready.run("webhook", "send", url, "--app", "shop", "--local")
    assert (done.code, "answer: none (unreachable)" in done.out) == (1, True)
    assert done.err == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("http://127.0.0.1:8000/",), "not_https"),
        (("https://localhost:8000/",), "local_name"),
        (("https://hooks.example.com:25/",), "port_not_looked_at"),
        (("no url",), "bad_url"),
        (("ftp://localhost/", "--local"), "bad_url"),
        (("http://a:b@localhost/", "--local"), "credentials_in_url"),
        (("http://localhost/", "--local", "--event", "alarm.unheard_of"), "unknown_event"),
        (("http://localhost/", "--local", "--attempt", "0"), "bad_attempt"),
        (("http://localhost/", "--local", "--data", "missing.json"), "unreadable_file"),
        (("http://localhost/", "--local", "--app", "nobody"), "unknown_app"),
        ((f"http://localhost/{WRONG}", "--local"), "key_in_arguments"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_reason(ready: Machine, arguments: tuple[str, ...], code: str) -> None:
    done = ready.run("webhook", "send", "--app", "shop", *arguments)
    assert (done.code, done.error, done.out) == (1, code, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("https://127.0.0.1/",), "not_public"),
        (("https://[::ffff:10.0.0.1]/",), "not_public"),
        (("https://169.254.169.254/",), "not_public"),
        (("http://10.0.0.1/", "--local"), "not_this_machine"),
        (("http://hooks.example.com/", "--local"), "not_this_machine"),
    ],
)
def test_where_nothing_may_go_nothing_goes(ready: Machine, arguments: tuple[str, ...], said: str) -> None:
    done = ready.run("webhook", "send", "--app", "shop", *arguments)
    assert done.code == 1
    assert f"answer: none ({said})" in done.out
    assert "meaning: Nothing was sent" in done.out


def test_a_live_app_is_refused_and_told_why(live: Machine) -> None:
    done = live.run("webhook", "send", "http://localhost:1024/", "--app", "shop", "--local")
    assert (done.code, done.error) == (1, "live_app")
    assert "real alarm" in done.err
    assert "chekt-mcp app add" in done.err


def test_an_adopted_app_is_refused_and_told_why(ready: Machine) -> None:
    values = "chekt_test_" + "EXAMPLE" * 5
    ready.ok("app", "adopt", "theirs", "--key-stdin", typed=f"{values}\n")
    done = ready.run("webhook", "send", "http://localhost:1024/", "--app", "theirs", "--local")
    assert (done.code, done.error) == (1, "platform_app")


def test_who_sent_what_where_is_in_the_log_and_the_path_is_not(ready: Machine) -> None:
    ready.run("webhook", "send", "http://localhost:1024/token-in-path?a=b", "--app", "shop", "--local")
    database = log_of(ready)
    assert b"webhook.send_started" in database
    assert b"http://localhost:1024" in database
    assert b"unreachable" in database
    assert b"token-in-path" not in database


def test_a_hostile_data_file_is_refused(ready: Machine) -> None:
    data = ready.home / "data.json"
    for content, code in ((b"[1]", "bad_data"), (b"\xff", "input_not_text"), (b" " * 1_100_000, "input_too_long")):
        data.write_bytes(content)
        done = ready.run("webhook", "send", "http://localhost:1024/", "--app", "shop", "--local", "--data", data)
        assert (done.code, done.error) == (1, code)
