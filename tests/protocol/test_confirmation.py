"""Nothing changes without a person, and every way round that was seen elsewhere is closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp_types import ElicitResult, InputRequiredResult

from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.approval import Approval, ApprovalState, Refusal
from chekt_mcp.domain.scope import Scope
from chekt_mcp.operations import approvals
from chekt_mcp.operations.approvals import Decider
from world import Era, Person, World, refusal, structured, words, yes

pytestmark = pytest.mark.anyio

ROTATE = {"reason": "scheduled"}
TERMINAL = Decider("terminal:maria", "terminal")


async def key_ids(world: World, app: str = "shop", dealer: str = "acme") -> list[str]:
    """Return the app's keys with their states: what a change would change."""
    stored = await world.storage.read(lambda reader: reader.keys(dealer, app, KeyKind.API_KEY))
    return [f"{one.key.key_id} {one.key.state}" for one in stored]


async def decide(world: World, approval_id: str, typed: dict[str, Any] | None, decider: Decider = TERMINAL) -> Any:
    approval = await stored(world, approval_id)
    return await approvals.decide(world.services(), approval, decider, typed, "req_test")


async def stored(world: World, approval_id: str, dealer: str = "acme") -> Approval:
    approval = await world.storage.read(lambda reader: reader.approval(dealer, approval_id))
    assert approval is not None
    return approval


async def pending(client: Client, arguments: dict[str, Any] | None = None) -> str:
    """Ask for a rotation and return the id of the approval that it waits for."""
    answer = structured(await client.call_tool("rotate_key", arguments or ROTATE))
    assert answer["status"] == "approval_required"
    return str(answer["approval"]["approval_id"])


async def test_typing_the_apps_name_rotates_a_test_apps_key(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        answer = structured(await client.call_tool("rotate_key", ROTATE))
    assert answer["status"] == "rotated"
    assert len(person.shown) == 1
    assert "Rotate the API key of app shop (test)." in person.shown[0]
    assert key not in person.shown[0]
    assert len(await key_ids(world)) == 2


async def test_a_client_without_forms_is_sent_out_of_band(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, era) as client:
        result = await client.call_tool("rotate_key", ROTATE)
    assert structured(result)["status"] == "approval_required"
    assert f"chekt-mcp approve {structured(result)['approval']['approval_id']}" in words(result)
    assert await key_ids(world) == before


async def test_a_live_app_is_never_confirmed_in_the_client(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        approval_id = await pending(client)
        assert person.shown == []
        await decide(world, approval_id, {"app": "shop"})
        answer = structured(await client.call_tool("rotate_key", ROTATE))
    assert answer["status"] == "rotated"


async def test_a_live_app_whose_operator_said_client_is_confirmed_there(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live", confirm="client")
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        assert structured(await client.call_tool("rotate_key", ROTATE))["status"] == "rotated"


async def test_a_policy_tightened_meanwhile_holds_for_an_approval_that_already_waits(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, era) as client:
        await pending(client)
    app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
    assert app is not None
    tightened = replace(app, confirm=ConfirmBy.OUT_OF_BAND)
    await world.storage.write(lambda writer: writer.update_app(tightened, world.clock()))
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        await pending(client)
    assert person.shown == []
    assert await key_ids(world) == before


@pytest.mark.parametrize("withdrawn", ["policy", "scope", "key"])
async def test_a_form_answered_after_policy_scope_or_key_were_withdrawn_changes_nothing(
    world: World, era: Era, withdrawn: str
) -> None:
    key = await world.add_app("shop")

    async def withdraw() -> None:
        app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
        assert app is not None
        changes = {"confirm": ConfirmBy.OUT_OF_BAND} if withdrawn == "policy" else {"scopes": frozenset[Scope]()}
        if withdrawn != "key":
            await world.storage.write(lambda writer: writer.update_app(replace(app, **changes), world.clock()))
            return
        stored = await world.storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.API_KEY))
        revoked = replace(stored[0].key, state=KeyState.REVOKED, revoked_at=world.clock())
        await world.storage.write(lambda writer: writer.update_key(revoked))

    person = Person(typed={"app": "shop"}, before=withdraw)
    async with world.client(key, era, person=person) as client:
        said = words(await client.call_tool("rotate_key", ROTATE))
    assert len(person.shown) == 1
    assert "rotated" not in said
    assert len(await key_ids(world)) == 1


async def test_declared_but_never_answered_changes_nothing_and_points_elsewhere(world: World) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    never = Person(before=anyio.sleep_forever)
    async with world.client(key, "legacy", person=never, ask_timeout=0.01) as client:
        answer = structured(await client.call_tool("rotate_key", ROTATE))
    assert answer["status"] == "approval_required"
    assert await key_ids(world) == before


async def test_a_call_that_the_client_gives_up_is_in_the_log_and_changes_nothing(world: World) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    asked = anyio.Event()

    async def never() -> None:
        asked.set()
        await anyio.sleep_forever()

    async with world.client(key, "legacy", person=Person(before=never)) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "rotate_key", ROTATE)
            await asked.wait()
            group.cancel_scope.cancel()
        structured(await client.call_tool("whoami", {}))
    (entry,) = [one for one in await world.entries() if one.action == "rotate_key"]
    assert (entry.result, entry.details["outcome"]) == ("error", "cancelled")
    assert await key_ids(world) == before


async def test_a_question_that_is_never_taken_up_changes_nothing(world: World) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, person=Person()) as client:
        asked = await client.session.call_tool("rotate_key", ROTATE, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        again = await client.session.call_tool(
            "rotate_key", ROTATE, request_state=asked.request_state, allow_input_required=True
        )
    assert structured(again)["status"] == "approval_required"  # type: ignore[arg-type]  # not a question any more
    assert await key_ids(world) == before


async def test_declining_changes_nothing_and_stays_declined(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    person = Person("decline")
    async with world.client(key, era, person=person) as client:
        first = structured(await client.call_tool("rotate_key", ROTATE))
        second = structured(await client.call_tool("rotate_key", ROTATE))
    assert [first["status"], second["status"]] == ["declined", "declined"]
    assert len(person.shown) == 1
    assert await key_ids(world) == before


async def test_cancelling_changes_nothing_and_leaves_the_question_open(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, era, person=Person("cancel")) as client:
        assert structured(await client.call_tool("rotate_key", ROTATE))["status"] == "approval_required"
    assert await key_ids(world) == before


@pytest.mark.parametrize(
    "typed",
    ["", "Shop", "shop ", " shop", "shop\n", "sh\u043ep", "s\u200bhop", "\uff53hop", "yes", "true", "ops", "shop\x00"],
)
async def test_any_other_text_is_refused(world: World, era: Era, typed: str) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, era, person=Person(typed={"app": typed})) as client:
        answer = structured(await client.call_tool("rotate_key", ROTATE))
    assert (answer["status"], answer["code"]) == ("refused", "wrong_text")
    assert await key_ids(world) == before


@pytest.mark.parametrize("content", [None, {}, {"confirm": "shop"}, {"app": True}, {"app": ["shop"]}, {"app": None}])
async def test_an_accepted_form_without_the_text_is_refused(world: World, era: Era, content: Any) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)

    async def accepts(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content=content)

    async with world.client(key, era, person=accepts) as client:
        answer = structured(await client.call_tool("rotate_key", ROTATE))
    assert answer["status"] == "refused"
    assert await key_ids(world) == before


async def test_three_wrong_texts_deny_the_approval(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era, person=Person(typed={"app": "wrong"})) as client:
        codes = [structured(await client.call_tool("rotate_key", ROTATE)).get("code") for _ in range(3)]
        assert codes == ["wrong_text", "wrong_text", "too_many_attempts"]
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        assert structured(await client.call_tool("rotate_key", ROTATE))["status"] == "declined"


async def test_an_approval_for_other_arguments_is_refused(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    before = await key_ids(world)
    async with world.client(key, era) as client:
        approval_id = await pending(client)
        await decide(world, approval_id, {"app": "shop"})
        other = {"reason": "scheduled", "revoke_previous_now": True, "approval_id": approval_id}
        answer = structured(await client.call_tool("rotate_key", other))
    assert (answer["status"], answer["code"]) == ("refused", Refusal.OTHER_REQUEST)
    assert await key_ids(world) == before


async def test_an_approval_of_another_tool_is_refused(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        approval_id = await pending(client)
        await decide(world, approval_id, {"app": "shop"})
        arguments = {"disable": True, "reason": "x", "approval_id": approval_id}
        await client.call_tool("update_allow_list", {"entries": "203.0.113.0/24", "reason": "x"})
        answer = structured(
            await client.call_tool("update_allow_list", {**arguments, "disable": False, "entries": "203.0.113.0/24"})
        )
    assert answer["status"] == "refused"


async def test_another_callers_approval_is_unknown(world: World, era: Era) -> None:
    await world.add_app("shop", env="live")
    first = await world.add_app("ops", covers=("shop",))
    second = await world.add_app("night", covers=("shop",))
    arguments = {**ROTATE, "app": "shop"}
    async with world.client(first, era) as client:
        approval_id = await pending(client, arguments)
    await decide(world, approval_id, {"app": "shop"})
    before = await key_ids(world)
    async with world.client(second, era) as client:
        answer = structured(await client.call_tool("rotate_key", {**arguments, "approval_id": approval_id}))
    assert answer["code"] == Refusal.UNKNOWN
    assert await key_ids(world) == before


async def test_another_dealers_approval_is_unknown(world: World, era: Era) -> None:
    mine = await world.add_app("shop", env="live")
    theirs = await world.add_app("shop", env="live", dealer="other")
    async with world.client(mine, era) as client:
        approval_id = await pending(client)
    await decide(world, approval_id, {"app": "shop"})
    async with world.client(theirs, era) as client:
        answer = structured(await client.call_tool("rotate_key", {**ROTATE, "approval_id": approval_id}))
    assert answer["code"] == Refusal.UNKNOWN
    assert len(await key_ids(world, dealer="other")) == 1


async def test_nobody_approves_with_the_requesting_credential(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        approval_id = await pending(client)
    assert await decide(world, approval_id, {"app": "shop"}, Decider("app:shop", "http")) is Refusal.OWN_REQUEST
    assert (await stored(world, approval_id)).state is ApprovalState.PENDING


async def test_an_expired_approval_is_refused(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    before = await key_ids(world)
    async with world.client(key, era) as client:
        approval_id = await pending(client)
        await decide(world, approval_id, {"app": "shop"})
        world.clock.forward(minutes=10)
        answer = structured(await client.call_tool("rotate_key", {**ROTATE, "approval_id": approval_id}))
    assert answer["code"] == Refusal.EXPIRED
    assert await key_ids(world) == before


async def test_an_expired_approval_cannot_be_approved(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        approval_id = await pending(client)
    world.clock.forward(minutes=10)
    assert await decide(world, approval_id, {"app": "shop"}) is Refusal.EXPIRED


async def test_an_approval_is_good_once(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        approval_id = await pending(client)
        await decide(world, approval_id, {"app": "shop"})
        arguments = {**ROTATE, "approval_id": approval_id}
        first = structured(await client.call_tool("rotate_key", arguments))
        second = structured(await client.call_tool("rotate_key", arguments))
    assert second == {**first, "repeated": True}
    assert len(await key_ids(world)) == 2


async def test_two_calls_at_once_with_one_approval_mint_one_key(world: World) -> None:
    key = await world.add_app("shop", env="live")
    answers = []
    async with world.client(key) as client:
        approval_id = await pending(client)
        await decide(world, approval_id, {"app": "shop"})

        async def call() -> None:
            answers.append(structured(await client.call_tool("rotate_key", ROTATE)))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call)
    assert [answer["status"] for answer in answers].count("rotated") == 1
    assert "approval_expired" not in {answer.get("code") for answer in answers}
    assert len(await key_ids(world)) == 2


async def test_the_accepted_request_state_sent_again_mints_nothing(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key, person=Person()) as client:
        asked = await client.session.call_tool("rotate_key", ROTATE, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        assert asked.input_requests is not None
        (question,) = asked.input_requests
        accepted = yes(question, "shop")
        answers = [
            await client.session.call_tool(
                "rotate_key",
                ROTATE,
                input_responses=accepted,
                request_state=asked.request_state,
                allow_input_required=True,
            )
            for _ in range(3)
        ]
    outcomes = [structured(answer) for answer in answers]  # type: ignore[arg-type]  # no further question
    assert len({outcome["rotation_id"] for outcome in outcomes}) == 1
    assert [outcome.get("repeated", False) for outcome in outcomes] == [False, True, True]
    assert len(await key_ids(world)) == 2


async def test_an_accepted_request_state_does_not_fit_other_arguments(world: World) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, person=Person()) as client:
        asked = await client.session.call_tool("rotate_key", ROTATE, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        (question,) = asked.input_requests or {}
        accepted = yes(question, "shop")
        with pytest.raises(MCPError, match="requestState"):
            await client.session.call_tool(
                "rotate_key",
                {"reason": "other"},
                input_responses=accepted,
                request_state=asked.request_state,
                allow_input_required=True,
            )
    assert await key_ids(world) == before


async def test_an_answer_without_a_question_is_not_a_confirmation(world: World) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, person=Person()) as client:
        asked = await client.session.call_tool("rotate_key", ROTATE, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        (question,) = asked.input_requests or {}
        accepted = yes(question, "shop")
        again = await client.session.call_tool(
            "rotate_key", ROTATE, input_responses=accepted, allow_input_required=True
        )
    assert isinstance(again, InputRequiredResult)
    assert await key_ids(world) == before


async def test_a_state_that_changed_since_outdates_the_approval(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live", allow_list="203.0.113.0/24")
    change = {"entries": "198.51.100.0/24", "reason": "move"}
    async with world.client(key, era) as client:
        first = structured(await client.call_tool("update_allow_list", change))["approval"]["approval_id"]
        await decide(world, first, {"app": "shop"})
        other = structured(await client.call_tool("update_allow_list", {**change, "entries": "192.0.2.0/24"}))
        await decide(world, other["approval"]["approval_id"], {"app": "shop"})
        applied = structured(await client.call_tool("update_allow_list", {**change, "entries": "192.0.2.0/24"}))
        assert applied["status"] == "applied"
        late = structured(await client.call_tool("update_allow_list", {**change, "approval_id": first}))
        listed = structured(await client.call_tool("get_allow_list", {}))
    assert (late["status"], late["code"]) == ("refused", Refusal.OUTDATED)
    assert [entry["network"] for entry in listed["entries"]] == ["192.0.2.0/24"]


async def test_the_state_is_checked_again_between_the_question_and_the_answer(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")

    async def meanwhile() -> None:
        current = await world.storage.read(lambda reader: reader.allow_list("acme", "shop"))
        assert current is not None
        await world.storage.write(lambda writer: writer.add_allow_list(replace(current, version=current.version + 1)))

    person = Person(typed={"app": "shop"}, before=meanwhile)
    async with world.client(key, era, person=person) as client:
        answer = structured(await client.call_tool("update_allow_list", {"entries": "192.0.2.0/24", "reason": "x"}))
        listed = structured(await client.call_tool("get_allow_list", {}))
    assert (answer["status"], answer["code"]) == ("refused", Refusal.OUTDATED)
    assert (listed["version"], listed["entries"][0]["network"]) == (2, "203.0.113.0/24")


async def test_a_guessed_approval_id_is_unknown(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    before = await key_ids(world)
    async with world.client(key, era) as client:
        for guess in ("apr_aaaaaaaaaaaaaaaaaaaa", "1", "%", "apr_%", "' OR 1=1 --"):
            answer = structured(await client.call_tool("rotate_key", {**ROTATE, "approval_id": guess}))
            assert answer["code"] == Refusal.UNKNOWN
    assert await key_ids(world) == before


async def test_asking_again_finds_the_same_approval_with_the_same_words(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        first = await pending(client)
        said = (await stored(world, first)).words
        world.clock.forward(minutes=5)
        assert await pending(client) == first
    assert (await stored(world, first)).words == said


async def test_there_is_no_argument_that_confirms(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    before = await key_ids(world)
    async with world.client(key, era) as client:
        for name in ("confirm", "confirmed", "approve", "yes", "dry_run"):
            assert refusal(await client.call_tool("rotate_key", {**ROTATE, name: True})).startswith("unknown_argument")
    assert await key_ids(world) == before


async def test_the_whole_course_of_an_approval_is_in_the_log(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        approval_id = await pending(client)
        await decide(world, approval_id, {"app": "shop"})
        structured(await client.call_tool("rotate_key", ROTATE))
    actions = [entry.action for entry in await world.entries()]
    assert actions == ["approval.request", "rotate_key", "approval.approve", "key.rotate", "rotate_key"]
