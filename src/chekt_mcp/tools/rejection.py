"""Refusals and mistakes as a model reads them: text only, `code (field): sentence.`, never what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp_types import CallToolResult, TextContent
from pydantic import ValidationError

from chekt_mcp.domain.exposure import contains_credential, redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import ChektError, InvalidInput
from chekt_mcp.tools.arguments import Arguments

SHOWN = 5
UNKNOWN = "unknown_argument"

EXPLAIN: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "missing": ("missing_argument", lambda _: "It is required."),
    "extra_forbidden": (UNKNOWN, lambda _: "There is no such argument, and nothing was done."),
    "string_type": ("wrong_type", lambda _: "A string is expected."),
    "bool_type": ("wrong_type", lambda _: "true or false is expected."),
    "int_type": ("wrong_type", lambda _: "A whole number is expected."),
    "int_from_float": ("wrong_type", lambda _: "A whole number is expected."),
    "list_type": ("wrong_type", lambda _: "A list is expected."),
    "dict_type": ("wrong_type", lambda _: "An object is expected."),
    "string_too_long": ("too_long", lambda limit: f"At most {limit['max_length']} characters are taken."),
    "string_too_short": ("too_short", lambda limit: f"At least {limit['min_length']} character is needed."),
    "too_long": ("too_long", lambda limit: f"At most {limit['max_length']} items are taken."),
    "too_short": ("too_short", lambda limit: f"At least {limit['min_length']} item is needed."),
    "literal_error": ("bad_value", lambda limit: f"One of {limit['expected']} is expected."),
    "greater_than_equal": ("out_of_range", lambda limit: f"The smallest value is {limit['ge']}."),
    "less_than_equal": ("out_of_range", lambda limit: f"The largest value is {limit['le']}."),
    "string_unicode": ("bad_text", lambda _: "The text holds characters that are not valid Unicode."),
}


def failure(text: str) -> CallToolResult:
    """Return a result that says no. Structured content is left out: a client may check it against the schema."""
    return CallToolResult(content=[TextContent(type="text", text=redacted(text))], is_error=True)


def rejection(error: ChektError) -> CallToolResult:
    """Return one of our own errors as `code (field): message fix`."""
    return failure(sentence(error))


def sentence(error: ChektError) -> str:
    """Write an error the way every refusal reads."""
    field = getattr(error, "field", "")
    return f"{error.code} ({field}): {error}" if field else f"{error.code}: {error}"


def bad_arguments(error: ValidationError, takes: type[Arguments]) -> InvalidInput:
    """Turn pydantic's report into ours: codes, field names and limits, without the rejected values.

    Of a tool that was sent an argument it does not know, it also says which ones it `takes`.
    """
    problems = [_problem(one) for one in error.errors(include_url=False, include_context=True, include_input=False)]
    code, field, text = problems[0]
    rest = "".join(f"\n{code} ({field}): {text}" for code, field, text in problems[1:SHOWN])
    more = f"\nand {len(problems) - SHOWN} more." if len(problems) > SHOWN else ""
    unknown = any(code == UNKNOWN for code, _, _ in problems)
    known = f"\nIt takes: {', '.join(takes.model_fields) or 'nothing'}." if unknown else ""
    return InvalidInput(text + rest + more + known, field=field, code=code)


def _problem(one: Any) -> tuple[str, str, str]:
    code, explain = EXPLAIN.get(one["type"], ("bad_value", lambda _: "The value cannot be taken."))
    return code, _field(one["loc"]), explain(one.get("ctx", {}))


def _field(location: tuple[int | str, ...]) -> str:
    """Name the place. The first part is ours unless the argument is unknown; deeper names are the caller's text."""
    name = ".".join(str(part) for part in location if part != "[key]")
    return "unreadable name" if contains_credential(name) else escaped(name, 60)
