from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.approval import Approval, ApprovalState
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.storage.interface import Storage

pytestmark = pytest.mark.anyio

APPROVED: dict[str, Any] = {
    "state": ApprovalState.APPROVED,
    "decided_by": "operator",
    "decided_how": "terminal",
    "decided_at": sample.NOW,
}


async def find(storage: Storage, **changes: Any) -> Approval | None:
    asked = {"dealer": "acme", "requester": "app:shop", "digest": "d" * 64, "state_digest": "s" * 64, "now": sample.NOW}
    found: Approval | None = await storage.read(lambda reader: reader.approval_for(**{**asked, **changes}))
    return found


async def test_an_approval_comes_back_as_it_was_stored(storage: Storage) -> None:
    plain = sample.approval()
    full = sample.approval("apr_2", **APPROVED, attempts=2, outcome={"status": "rotated", "nested": {"a": [1, None]}})
    for one in (plain, full):
        await storage.write(sample.work("add_approval", one))
    assert await storage.read(lambda reader: reader.approval("acme", "apr_1")) == plain
    assert await storage.read(lambda reader: reader.approval("acme", "apr_2")) == full
    assert await storage.read(lambda reader: reader.approval("other", "apr_1")) is None


async def test_an_approval_id_is_given_once(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval()))
    with pytest.raises(Conflict):
        await storage.write(lambda writer: writer.add_approval(sample.approval(words="something else")))


async def test_the_newest_approval_of_a_request_is_found(storage: Storage) -> None:
    newer = sample.approval("apr_2", created_at=sample.NOW + sample.MINUTE)
    for one in (newer, sample.approval()):
        await storage.write(sample.work("add_approval", one))
    assert await find(storage) == newer


@pytest.mark.parametrize("state", [ApprovalState.PENDING, ApprovalState.APPROVED, ApprovalState.DENIED])
async def test_a_decided_approval_is_still_found_for_its_request(storage: Storage, state: ApprovalState) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval(state=state)))
    assert await find(storage) == sample.approval(state=state)


async def test_a_used_approval_is_not_found_for_a_request(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval(state=ApprovalState.USED)))
    assert await find(storage) is None


async def test_an_approval_expires_at_its_very_moment(storage: Storage) -> None:
    one = sample.approval()
    await storage.write(lambda writer: writer.add_approval(one))
    assert await find(storage, now=one.expires_at - sample.TICK) == one
    assert await find(storage, now=one.expires_at) is None


@pytest.mark.parametrize("other", [{"dealer": "other"}, {"requester": "app:x"}, {"digest": "x"}, {"state_digest": "x"}])
async def test_an_approval_stands_for_this_request_on_this_state_only(storage: Storage, other: dict[str, str]) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval()))
    assert await find(storage, **other) is None


async def test_pending_unexpired_approvals_come_oldest_first(storage: Storage) -> None:
    waiting = [
        sample.approval("apr_1", created_at=sample.NOW),
        sample.approval("apr_2", created_at=sample.NOW - sample.HOUR),
    ]
    others = [
        sample.approval("apr_3", expires_at=sample.NOW),
        sample.approval("apr_4", state=ApprovalState.DENIED),
        sample.approval("apr_5", dealer="other"),
    ]
    for one in waiting + others:
        await storage.write(sample.work("add_approval", one))
    assert list(await storage.read(lambda reader: reader.approvals("acme", sample.NOW))) == waiting[::-1]


async def test_a_decision_is_stored_once(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval()))
    approved, denied = sample.approval(**APPROVED), sample.approval(state=ApprovalState.DENIED)
    assert await storage.write(lambda writer: writer.decide_approval(approved)) is True
    assert await storage.write(lambda writer: writer.decide_approval(denied)) is False
    assert await storage.read(lambda reader: reader.approval("acme", "apr_1")) == approved


async def test_a_wrong_answer_is_counted_and_leaves_it_pending(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval()))
    assert await storage.write(lambda writer: writer.decide_approval(sample.approval(attempts=1))) is True
    assert await storage.read(lambda reader: reader.approval("acme", "apr_1")) == sample.approval(attempts=1)


async def test_another_dealer_decides_nothing(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval()))
    foreign = sample.approval(**APPROVED, dealer="other")
    assert await storage.write(lambda writer: writer.decide_approval(foreign)) is False


async def test_an_approval_is_good_once(storage: Storage) -> None:
    approved = sample.approval(**APPROVED)
    await storage.write(lambda writer: writer.add_approval(approved))
    consume = sample.work("consume_approval", "acme", "apr_1", sample.NOW)
    assert [await storage.write(consume), await storage.write(consume)] == [True, False]
    assert await storage.read(lambda reader: reader.approval("acme", "apr_1")) == replace(
        approved, state=ApprovalState.USED
    )


@pytest.mark.parametrize("state", [ApprovalState.PENDING, ApprovalState.DENIED, ApprovalState.USED])
async def test_only_an_approved_one_is_consumed(storage: Storage, state: ApprovalState) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval(state=state)))
    assert await storage.write(lambda writer: writer.consume_approval("acme", "apr_1", sample.NOW)) is False


async def test_an_expired_or_foreign_approval_is_not_consumed(storage: Storage) -> None:
    one = sample.approval(**APPROVED)
    await storage.write(lambda writer: writer.add_approval(one))
    assert await storage.write(lambda writer: writer.consume_approval("acme", "apr_1", one.expires_at)) is False
    assert await storage.write(lambda writer: writer.consume_approval("other", "apr_1", sample.NOW)) is False


async def test_the_outcome_is_kept_with_the_approval(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_approval(sample.approval()))
    await storage.write(lambda writer: writer.set_outcome("acme", "apr_1", {"status": "rotated", "app": "Büro"}))
    kept = await storage.read(lambda reader: reader.approval("acme", "apr_1"))
    assert kept == sample.approval(outcome={"status": "rotated", "app": "Büro"})


async def test_the_outcome_of_an_unknown_approval_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.write(lambda writer: writer.set_outcome("acme", "apr_1", {}))


async def test_an_answer_is_remembered_until_it_expires(storage: Storage) -> None:
    one = sample.answer()
    await storage.write(lambda writer: writer.remember_answer(one))
    ask = ("acme", "app:shop", "rotate_key", "once")
    assert await storage.read(lambda reader: reader.remembered_answer(*ask, sample.NOW)) == one
    assert await storage.read(lambda reader: reader.remembered_answer(*ask, one.expires_at)) is None


@pytest.mark.parametrize("place", [0, 1, 2, 3])
async def test_an_answer_is_remembered_for_its_caller_tool_and_key_only(storage: Storage, place: int) -> None:
    await storage.write(lambda writer: writer.remember_answer(sample.answer()))
    ask = ["acme", "app:shop", "rotate_key", "once"]
    ask[place] = "other"
    assert await storage.read(sample.work("remembered_answer", *ask, sample.NOW)) is None


async def test_a_later_answer_takes_the_place_of_an_expired_one(storage: Storage) -> None:
    later = sample.answer(arguments_digest="b" * 64, answer={}, expires_at=sample.NOW + 3 * sample.DAY)
    for one in (sample.answer(), later):
        await storage.write(sample.work("remember_answer", one))
    ask = ("acme", "app:shop", "rotate_key", "once")
    assert await storage.read(lambda reader: reader.remembered_answer(*ask, sample.NOW + 2 * sample.DAY)) == later
