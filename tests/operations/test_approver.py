"""The approver passphrase: five wrong attempts lock it, whoever makes them and however many at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.errors import Conflict, InvalidInput, NotFound
from chekt_mcp.operations.approver import MAX_WRONG, PassphraseCheck, new_approver, set_passphrase
from chekt_mcp.operations.operator import at_terminal
from chekt_mcp.secrets import passphrase
from world import World

pytestmark = pytest.mark.anyio
OPERATOR = at_terminal("ada", "req_example")
RIGHT, WRONG = "the right one", "a wrong one"


@dataclass
class Plain:
    """Passphrases compared as they are, so that a test is quick; counts how many were judged."""

    judged: list[str] = field(default_factory=list)

    def check_new_passphrase(self, text: str) -> None:
        passphrase.check_new_passphrase(text)

    def hash_passphrase(self, text: str, salt: bytes) -> bytes:
        return salt + text.encode()

    def passphrase_matches(self, text: str, salt: bytes, digest: bytes) -> bool:
        self.judged.append(text)
        return salt + text.encode() == digest


@pytest.fixture
def plain() -> Plain:
    return Plain()


@pytest.fixture
async def check(world: World, plain: Plain) -> PassphraseCheck:
    await world.add_app("shop")
    approver = new_approver(world.services(), plain, "acme", RIGHT)
    await world.storage.write(lambda writer: set_passphrase(writer, OPERATOR, approver, app(world)))
    return PassphraseCheck(world.services(), plain, OPERATOR, "acme", "shop")


def app(world: World) -> App:
    scopes, confirm = frozenset[str](), ConfirmBy.CLIENT
    return App("acme", "shop", Environment.TEST, Authority.LOCAL, scopes, confirm, world.clock())  # type: ignore[arg-type]


async def test_the_right_passphrase_passes_and_clears_the_count(check: PassphraseCheck) -> None:
    for _ in range(3):
        for left in range(MAX_WRONG - 1, 0, -1):
            attempt = await check.attempt(WRONG)
            assert (attempt.right, attempt.left) == (False, left)
        assert (await check.attempt(RIGHT)).right


async def test_five_wrong_attempts_lock_for_a_quarter_of_an_hour_and_nothing_is_judged_meanwhile(
    check: PassphraseCheck, plain: Plain, world: World
) -> None:
    attempts = [await check.attempt(WRONG) for _ in range(MAX_WRONG)]
    assert [one.locked_until is not None for one in attempts] == [False] * 4 + [True]
    world.clock.forward(minutes=14, seconds=59)
    locked = await check.attempt(RIGHT)
    assert not locked.right
    assert locked.locked_until == attempts[-1].locked_until
    assert plain.judged == [WRONG] * MAX_WRONG
    world.clock.forward(seconds=1)
    assert (await check.attempt(RIGHT)).right


async def test_after_a_lock_the_count_starts_anew(check: PassphraseCheck, world: World) -> None:
    for _ in range(MAX_WRONG):
        await check.attempt(WRONG)
    world.clock.forward(minutes=15)
    attempt = await check.attempt(WRONG)
    assert (attempt.left, attempt.locked_until) == (MAX_WRONG - 1, None)


async def test_many_attempts_at_once_are_no_more_than_five(check: PassphraseCheck, plain: Plain) -> None:
    attempts = await asyncio.gather(*(check.attempt(WRONG) for _ in range(12)))
    assert not any(one.right for one in attempts)
    assert len(plain.judged) == MAX_WRONG


async def test_an_attempt_that_is_killed_while_it_is_judged_still_counts(check: PassphraseCheck, world: World) -> None:
    class Killed(Plain):
        def passphrase_matches(self, *_: object) -> bool:
            raise SystemExit

    for _ in range(MAX_WRONG):
        with pytest.raises(SystemExit):
            await PassphraseCheck(world.services(), Killed(), OPERATOR, "acme", "shop").attempt(WRONG)
    assert (await check.attempt(RIGHT)).locked_until is not None


async def test_every_refusal_is_in_the_log_of_the_app_it_was_about(check: PassphraseCheck, world: World) -> None:
    for _ in range(MAX_WRONG + 1):
        await check.attempt(WRONG)
    refused = await world.entries(action="approver.passphrase.refuse")
    assert [entry.details["locked"] for entry in refused] == [False] * 4 + [True, True]
    assert {(entry.actor, entry.result, entry.source) for entry in refused} == {("terminal:ada", "denied", "terminal")}
    assert WRONG not in str(refused)


async def test_a_dealer_without_passphrase_has_none_to_try(world: World, plain: Plain) -> None:
    await world.add_app("shop")
    with pytest.raises(NotFound) as refused:
        await PassphraseCheck(world.services(), plain, OPERATOR, "acme", "shop").attempt(RIGHT)
    assert refused.value.code == "no_passphrase"


async def test_a_passphrase_that_was_set_meanwhile_is_not_replaced(
    check: PassphraseCheck, plain: Plain, world: World
) -> None:
    other = new_approver(world.services(), plain, "acme", "somebody else's passphrase")
    with pytest.raises(Conflict) as refused:
        await world.storage.write(lambda writer: set_passphrase(writer, OPERATOR, other, app(world)))
    assert refused.value.code == "passphrase_exists"
    assert (await check.attempt(RIGHT)).right


async def test_a_short_passphrase_is_refused_before_anything_is_kept(world: World, plain: Plain) -> None:
    with pytest.raises(InvalidInput) as refused:
        new_approver(world.services(), plain, "acme", "short")
    assert refused.value.code == "weak_passphrase"
