"""The one way in: every tool call passes here, whatever the transport.

1. Exposure: a raw argument shaped like a credential is refused before anything else, and never echoed.
2. Gate: the caller's grant, the catalogue, the scope.
3. Validation: strict, unknown arguments refused.
4. The tool's function.
5. The audit entry, durable before the answer is sent.
Every exception becomes an answer that says what to do; nothing internal leaves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, InputRequiredResult, Tool
from pydantic import ValidationError

from chekt_mcp.auth.caller import Caller, Identify, nobody
from chekt_mcp.auth.credential import Problem
from chekt_mcp.auth.gate import require_scope
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.exposure import contains_credential, exposed_field
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.errors import ChektError, InvalidInput, NotFound, NotPermitted, Unavailable
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.tools.answer import Answer, as_result
from chekt_mcp.tools.catalog import CATALOG, ToolSpec, tool_scopes
from chekt_mcp.tools.rejection import bad_arguments, failure, rejection
from chekt_mcp.tools.tool_call import ToolCall

logger = logging.getLogger(__name__)

Reply = CallToolResult | InputRequiredResult
OpenServices = Callable[[], Services]
Observe = Callable[[NewEntry, float], None]
"""Told of each call that was answered: its entry, and how many seconds it took."""


def unobserved(_entry: NewEntry, _seconds: float) -> None:
    """Tell nobody of a call: over stdio its log entry is all there is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What goes back, and what the log says of it."""

    reply: Reply
    result: Result
    code: str


GIVEN_UP = Outcome(failure("cancelled: The client gave the call up."), Result.ERROR, "cancelled")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call as it came in: what was asked, by whom, and what it may touch."""

    services: Services
    caller: Caller
    request_id: str
    now: datetime
    name: str
    arguments: Mapping[str, Any]
    context: Context[Any, Any]


@dataclass(slots=True)
class Gateway:
    """Gate, run and record calls.

    `open_services` may fail (a state directory that cannot be used): then nothing is offered but `whoami`,
    which says why, and the next call tries again.
    """

    open_services: OpenServices
    identify: Identify
    source: str
    ask_timeout: float = 50.0
    compiled: CompiledLists = field(default_factory=CompiledLists)
    observe: Observe = unobserved

    async def visible_tools(self) -> list[Tool]:
        """Return the tools that the caller's grant opens, in the catalogue's order; without a grant, `whoami`."""
        try:
            services = self.open_services()
            caller = await self.identify(services.storage, services.clock())
        except Unavailable as error:
            caller = nobody(_problem(error))
        if isinstance(caller.grant, Problem):
            return [CATALOG["whoami"].as_tool()]
        return [spec.as_tool() for spec in CATALOG.values() if caller.grant.allows(spec.scope)]

    async def call(self, name: str, arguments: Mapping[str, Any], context: Context[Any, Any]) -> Reply:
        """Answer one call."""
        began = anyio.current_time()
        try:
            services = self.open_services()
            now = services.clock()
            caller = await self.identify(services.storage, now)
        except Unavailable as error:
            return self._without_state(name, arguments, error)
        request_id = caller.request_id or new_id("req", services.random)
        attempt = Attempt(services, caller, request_id, now, name, arguments, context)
        try:
            outcome = await self._outcome(attempt)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):  # a client that gives up does not take the call out of the log
                await self._recorded(attempt, GIVEN_UP, began)
            raise
        return await self._recorded(attempt, outcome, began)

    async def _outcome(self, attempt: Attempt) -> Outcome:
        try:
            return await self._run(attempt)
        except ValidationError as error:
            return _rejected(bad_arguments(error, CATALOG[attempt.name].binding().takes))
        except ChektError as error:
            return _rejected(error)
        except Exception:
            logger.exception("Tool %s failed as %s", spec_name(attempt.name), attempt.request_id)
            text = "internal_error: Something went wrong here, not in the call."
            return Outcome(
                failure(f"{text} Report it with the id {attempt.request_id}."), Result.ERROR, "internal_error"
            )

    async def _run(self, attempt: Attempt) -> Outcome:
        """Take the numbered steps 1 to 4 of the module's docstring."""
        refuse_exposure(attempt.name, attempt.arguments)
        grant = attempt.caller.grant
        if isinstance(grant, Problem):
            return _no_access(attempt.name, grant)
        spec = _known(attempt.name)
        require_scope(grant, spec.name, spec.scope)
        binding = spec.binding()
        given = binding.takes.model_validate(dict(attempt.arguments))
        call = Call(grant, attempt.request_id, attempt.now, self.source, attempt.caller.source_ip)
        tool = ToolCall(attempt.services, call, given, attempt.context, self.compiled, tool_scopes(), self.ask_timeout)
        return _finished(await binding.run(tool))

    async def _recorded(self, attempt: Attempt, outcome: Outcome, began: float) -> Reply:
        """Write the entry, and what the clock has ended; an answer that could not be recorded is not given."""
        entry = self._entry(attempt, outcome)
        try:
            await write_entry(attempt.services, entry)
        except Unavailable as error:
            logger.warning("A call could not be recorded: %s", error.code)
            return failure(
                f"audit_unavailable: The call could not be recorded, so its answer is withheld. {error} "
                "If it was meant to change something, look whether it did before repeating it."
            )
        self.observe(entry, anyio.current_time() - began)
        return outcome.reply

    def _entry(self, attempt: Attempt, outcome: Outcome) -> NewEntry:
        spec, caller = CATALOG.get(attempt.name), attempt.caller
        details: dict[str, object] = {"outcome": outcome.code}
        if names := sorted(key for key in attempt.arguments if spec and key in spec.argument_names):
            details["arguments"] = ",".join(names)
        return NewEntry(
            dealer=caller.dealer,
            timestamp=attempt.now,
            actor=caller.actor,
            kind=Kind.TOOL_CALL,
            action=spec_name(attempt.name),
            result=outcome.result,
            request_id=attempt.request_id,
            app=_app_about(attempt),
            scope=spec.scope.value if spec and spec.scope else None,
            source=self.source,
            source_ip=caller.source_ip,
            key_id=caller.key_id,
            details=details,
        )

    def _without_state(self, name: str, arguments: Mapping[str, Any], error: Unavailable) -> Reply:
        """Answer when nothing can be read or recorded: refuse, and say how to mend it."""
        try:
            refuse_exposure(name, arguments)
        except InvalidInput as exposed:
            return rejection(exposed)
        return _no_access(name, _problem(error)).reply


async def write_entry(services: Services, entry: NewEntry) -> None:
    """Write the entry of a call, and what the clock has ended.

    Raises:
        Unavailable: it could not be written; the answer must then be withheld.
    """
    await services.recorder.record(services.storage, entry)


def _app_about(attempt: Attempt) -> str | None:
    """Name the app a call is recorded under: the one it named, if the grant covers it, else the caller's own."""
    about, grant = attempt.arguments.get("app"), attempt.caller.grant
    covered = () if isinstance(grant, Problem) else grant.apps
    return about if isinstance(about, str) and about in covered else attempt.caller.app


def spec_name(name: str) -> str:
    """Return the name when it is one of ours; other people's text otherwise stays out of the log's action."""
    return name if name in CATALOG else "unknown_tool"


def _known(name: str) -> ToolSpec:
    spec = CATALOG.get(name)
    if spec is None:
        raise NotFound("There is no tool of that name.", code="unknown_tool", fix="tools/list says what there is.")
    return spec


def refuse_exposure(name: str, arguments: Mapping[str, Any]) -> None:
    """Refuse a call that holds something shaped like a credential, without echoing any of it."""
    field_name = "" if contains_credential(name) else exposed_field(arguments)
    if field_name is None:
        return
    raise InvalidInput(
        "Something shaped like a key, secret or token was sent; it was not used, stored or looked at further.",
        field=field_name if _is_argument(field_name) else "",
        code="credential_exposed",
        fix="It is in a conversation now: treat it as leaked and rotate it (rotate_key, reason suspected_compromise). "
        "No tool here takes a credential; signing secrets are chosen by app.",
    )


def _is_argument(name: str) -> bool:
    return any(name in spec.argument_names for spec in CATALOG.values())


def _no_access(name: str, problem: Problem) -> Outcome:
    if name == "whoami":
        from chekt_mcp.tools import identity  # noqa: PLC0415 -- imported at its first call, like every tool

        return Outcome(as_result(identity.nobody(problem, tool_scopes())), Result.DENIED, problem.code)
    text = f"{problem.code}: {problem.message} {problem.fix}"
    return Outcome(failure(text), Result.DENIED, problem.code)


def _finished(answer: Answer | InputRequiredResult) -> Outcome:
    if isinstance(answer, InputRequiredResult):
        return Outcome(answer, Result.OK, "asked_person")
    return Outcome(as_result(answer), Result.DENIED if answer.denied else Result.OK, answer.outcome)


def _rejected(error: ChektError) -> Outcome:
    denied = isinstance(error, NotPermitted) or error.code in {"credential_exposed", "unknown_app", "unknown_tool"}
    return Outcome(rejection(error), Result.DENIED if denied else Result.ERROR, error.code)


def _problem(error: Unavailable) -> Problem:
    return Problem(error.code, error.message, error.fix)
