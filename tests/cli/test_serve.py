"""`chekt-mcp serve` as a person types it; what it serves is in tests/protocol and tests/serving."""

from __future__ import annotations

import signal

from terminal_child import Machine


def test_a_person_who_starts_it_at_a_terminal_is_told_that_there_is_nothing_to_type(ready: Machine) -> None:
    with ready.terminal("serve") as person:
        person.expect("there is nothing to type here. `chekt-mcp app show NAME` prints what a client")
        person.expect("Ctrl-C ends it.")
        person.press_control_c()
    assert "Traceback" not in person.screen


def test_a_client_that_starts_it_gets_nothing_but_protocol(ready: Machine) -> None:
    done = ready.run("serve")
    assert (done.out, done.err) == ("", "")


def test_the_first_control_c_ends_a_server_that_waits_for_a_line(ready: Machine) -> None:
    with ready.terminal("serve") as person:
        person.type("not a message")
        person.expect("-32700")
        person.press_control_c()
    assert person.code == -signal.SIGINT
