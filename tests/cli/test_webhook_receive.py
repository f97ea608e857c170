"""`chekt-mcp webhook receive`: real processes, real HTTP, on this machine alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from terminal_child import DEADLINE, PROGRAM, Machine

SECRET = "chekt_whsec_test_EXAMPLEexample0000000000000000CCCC"  # noqa: S105 -- an example
KEY = "chekt_test_EXAMPLEexample0000000000000000AAAA"


@pytest.fixture
def portal(ready: Machine) -> Machine:
    """A platform app `portal` whose secret the test knows."""
    ready.ok("app", "adopt", "portal", "--key-stdin", "--signing-secret-stdin", typed=f"{KEY}\n{SECRET}\n")
    return ready


@dataclass
class Receiver:
    """A running receiver."""

    process: subprocess.Popen[str]
    url: str

    def post(self, body: bytes) -> httpx.Response:
        timestamp = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"X-CHeKT-Signature": signature, "X-CHeKT-Timestamp": timestamp, "Content-Type": "application/json"}
        return httpx.post(self.url, content=body, headers=headers, timeout=DEADLINE, trust_env=False)

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(how)
        _, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, err


@contextmanager
def receiving(machine: Machine, *arguments: str | Path) -> Iterator[Receiver]:
    """Run a receiver on a free port until the block ends."""
    command = [PROGRAM, "webhook", "receive", "--app", "portal", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=machine.environment(),
        cwd=machine.home,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert " at http://127.0.0.1:" in said, said or (process.stderr and process.stderr.read())
        yield Receiver(process, said.split(" at ")[1].split(". ")[0])
    finally:
        process.kill()
        process.communicate()


def keeper(machine: Machine) -> tuple[str, Path]:
    """Return a command that keeps each event in a file of its own, and the folder."""
    folder = machine.home / "kept"
    folder.mkdir()
    script = machine.home / "keep.sh"
    script.write_text(f'#!/bin/sh\ncat > "{folder}/$CHEKT_WEBHOOK_EVENT_ID.$$"\necho done > "{machine.home}/fifo"\n')
    script.chmod(0o755)
    return str(script), folder


def event(number: int = 1) -> bytes:
    return json.dumps({"id": f"evt_{number}", "type": "alarm.created", "data": {"note": "MARKER"}}).encode()


def queue(machine: Machine) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(machine.state / "chekt.db")) as database:
        return database.execute("SELECT event_id, attempts FROM queued_events ORDER BY event_id").fetchall()


@pytest.fixture
def fifo(portal: Machine) -> Iterator[int]:
    """A pipe on which the keeping program says that it is done."""
    os.mkfifo(portal.home / "fifo")
    handle = os.open(portal.home / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    yield handle
    os.close(handle)


def await_program(fifo: int) -> None:
    """Wait until the keeping program has said so."""
    watch = select.poll()
    watch.register(fifo, select.POLLIN)
    assert watch.poll(DEADLINE * 1000), "the program was not run"
    assert os.read(fifo, 100) == b"done\n"


def test_copies_at_two_processes_are_one_event_handed_to_the_program_once(portal: Machine, fifo: int) -> None:
    command, folder = keeper(portal)
    with (
        receiving(portal, "--to-command", command) as one,
        receiving(portal, "--to-command", command) as other,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = list(pool.map(lambda number: (one, other)[number % 2].post(event()), range(32)))
        await_program(fifo)
        assert sorted(answer.json()["duplicate"] for answer in answers) == [False, *[True] * 31]
        for receiver in (one, other):
            code, err = receiver.end()
            assert (code, err) == (0, "Stopped. 0 events wait in the queue; 0 given up.\n")
    assert [path.read_bytes() for path in folder.iterdir()] == [event()]


def test_a_receiver_killed_under_load_loses_nothing_it_said_yes_to(portal: Machine) -> None:
    def trying(receiver: Receiver, number: int) -> bool | None:
        try:
            return bool(receiver.post(event(number)).json()["duplicate"])
        except httpx.HTTPError:
            return None

    with (
        receiving(portal, "--to-command", "false") as doomed,
        receiving(portal, "--to-command", "false") as survivor,
        ThreadPoolExecutor(8) as pool,
    ):
        first = [pool.submit(trying, doomed, number) for number in range(60)]
        assert first[20].result(DEADLINE) is False
        doomed.process.kill()
        answered = [future.result(DEADLINE) for future in first]
        again = list(pool.map(lambda number: trying(survivor, number), range(60)))
    assert None in answered
    assert all(duplicate is not None for duplicate in again)
    assert not [number for number in range(60) if answered[number] is False and again[number] is not True]
    assert [name for name, _ in queue(portal)] == sorted(f"evt_{number}" for number in range(60))


def test_after_a_restart_a_copy_is_known_and_a_waiting_event_is_handed_on(portal: Machine, fifo: int) -> None:
    with receiving(portal, "--to-command", "false") as receiver:
        receiver.post(event())
        assert "1 event waits in the queue" in receiver.end(signal.SIGINT)[1]
    with closing(sqlite3.connect(portal.state / "chekt.db")) as database:
        database.execute("UPDATE queued_events SET due_at = 0")  # rather than wait for it
        database.commit()
    command, folder = keeper(portal)
    with receiving(portal, "--to-command", command) as receiver:
        assert receiver.post(event()).json()["duplicate"] is True
        await_program(fifo)
        assert receiver.end()[0] == 0
    assert [path.read_bytes() for path in folder.iterdir()] == [event()]


def test_a_url_on_this_machine_gets_the_delivery_as_it_came(portal: Machine) -> None:
    got: list[tuple[str, bytes]] = []
    arrived = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.headers["X-CHeKT-Signature"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with receiving(portal, "--to-url", f"http://127.0.0.1:{server.server_port}/in") as receiver:
            assert receiver.post(event()).status_code == 200
            assert arrived.wait(DEADLINE)
            assert receiver.end() == (0, "Stopped. 0 events wait in the queue; 0 given up.\n")
        server.shutdown()
    ((signature, body),) = got
    assert body == event()
    assert len(signature) == 64


def test_events_given_up_begin_anew_when_a_person_says_so(portal: Machine, fifo: int) -> None:
    with receiving(portal, "--to-command", "false") as receiver:
        receiver.post(event())
        receiver.end()
    with closing(sqlite3.connect(portal.state / "chekt.db")) as database:
        database.execute("UPDATE queued_events SET dead = 1")
        database.commit()
    with receiving(portal, "--to-command", "false") as receiver:
        assert "note: 1 event was given up earlier" in receiver.end()[1]
    command, _ = keeper(portal)
    with receiving(portal, "--to-command", command, "--retry-given-up") as receiver:
        await_program(fifo)
        assert "1 event that was given up begins anew." in receiver.end()[1]


def test_neither_bodies_nor_secrets_are_in_the_state_or_what_it_prints(portal: Machine) -> None:
    with receiving(portal, "--to-command", "false") as receiver:
        receiver.post(event())
        httpx.post(receiver.url, content=event(2), headers={"Content-Type": "application/json"}, trust_env=False)
        _, err = receiver.end()
    stored = b"".join(path.read_bytes() for path in portal.state.rglob("*") if path.is_file())
    for text in (stored, err.encode()):
        assert b"MARKER" not in text
        assert SECRET.encode() not in text
    assert "evt_1" not in err


def test_that_events_go_elsewhere_is_in_the_audit_log(portal: Machine) -> None:
    with receiving(portal, "--to-command", "false"):
        pass
    with closing(sqlite3.connect(portal.state / "chekt.db")) as database:
        (details,) = database.execute(
            "SELECT details FROM entries JOIN names ON names.id = action WHERE names.text = 'receive_webhooks'"
        ).fetchall()
    assert json.loads(details[0]) == {"hand_on_to": "command"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--to-command", "true", "--host", "0.0.0.0"], "not_loopback"),  # noqa: S104 -- it is refused
        (["--to-command", "true", "--host", "192.0.2.1"], "not_loopback"),
        (["--to-command", "true", "--host", "::"], "not_loopback"),
        (["--to-command", "true", "--host", "example.com"], "not_loopback"),
        (["--to-command", "true", "--port", "70000"], "out_of_range"),
        (["--to-command", "true", "--time-limit", "46"], "out_of_range"),
        (["--to-command", ""], "bad_command"),
        (["--to-command", "'"], "bad_command"),
        (["--to-command", "no-such-program-here"], "no_such_program"),
        (["--to-url", "http://hooks.example.com/"], "not_https"),
        (["--to-url", "https://me:it@hooks.example.com/"], "credentials_in_url"),
        (["--to-url", f"https://hooks.example.com/{SECRET}"], "key_in_arguments"),
        (["--to-url", "https://a.example.com/", "--to-command", "true"], "usage"),
        ([], "usage"),
        (["--to-command", "true", "--behind-proxy"], "usage"),
    ],
)
def test_what_it_does_not_do_is_refused_before_it_listens(portal: Machine, arguments: list[str], error: str) -> None:
    done = portal.run("webhook", "receive", "--app", "portal", *arguments)
    assert (done.code != 0, done.error) == (True, error)


@pytest.mark.parametrize("app", ["nobody", "bare"])
def test_an_app_without_a_secret_is_not_served(portal: Machine, app: str) -> None:
    portal.ok("app", "adopt", "bare", "--key-stdin", typed="chekt_test_EXAMPLEexample0000000000000000BBBB\n")
    done = portal.run("webhook", "receive", "--app", app, "--to-command", "true")
    assert (done.code, done.error) == (1, "no_signing_secret")


def test_a_port_in_use_is_named_as_the_trouble(portal: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = portal.run("webhook", "receive", "--app", "portal", "--port", port, "--to-command", "true")
    assert (done.code, done.error) == (1, "port_unavailable")
