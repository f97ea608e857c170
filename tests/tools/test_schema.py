"""Schemas say what a client needs, cost a model no more than that, and validate what we send."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from chekt_mcp.tools.catalog import published
from chekt_mcp.tools.schema import input_schema, output_schema


class Inner(TypedDict):
    """A docstring that costs tokens."""

    title: str
    description: str | None
    properties: dict[str, str]


class Outer(TypedDict):
    """Another one."""

    inner: Inner
    many: list[Inner] | None


class Takes(BaseModel):
    """What a tool takes."""

    title: str
    description: Annotated[str, Field(description="Kept: it is written for the model")]
    app: Annotated[str, Field(max_length=48, description="An app")] | None = None
    either: int | str | None = None
    count: int = 3
    note: Annotated[str | None, Field(description="A note")] = None


def titles(node: Any) -> list[Any]:
    """Find generated titles: the word as a keyword of a schema, not as the name of a property."""
    if isinstance(node, list):
        return [title for item in node for title in titles(item)]
    if not isinstance(node, dict):
        return []
    own = [node["title"]] if isinstance(node.get("title"), str) else []
    return own + [title for value in node.values() for title in titles(value)]


def test_generated_titles_and_docstrings_are_left_out() -> None:
    for schema in (input_schema(Takes), output_schema(Outer)):
        assert titles(schema) == []
        assert "docstring" not in json.dumps(schema)
        assert "What a tool takes" not in json.dumps(schema)


def test_properties_that_are_called_like_keywords_are_kept() -> None:
    assert {"title", "description"} <= set(input_schema(Takes)["properties"])
    inner = output_schema(Outer)["$defs"]["Inner"]
    assert set(inner["properties"]) == set(inner["required"]) == {"title", "description", "properties"}


def test_what_was_written_for_the_model_is_kept() -> None:
    properties = input_schema(Takes)["properties"]
    assert properties["description"]["description"] == "Kept: it is written for the model"
    assert properties["app"] == {"type": "string", "maxLength": 48, "description": "An app"}
    assert properties["note"] == {"type": "string", "description": "A note"}


def test_inputs_offer_no_null_for_what_may_be_left_out() -> None:
    schema = input_schema(Takes)
    assert "null" not in json.dumps(schema)
    assert schema["properties"]["either"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert schema["properties"]["count"] == {"type": "integer", "default": 3}
    assert schema["required"] == ["title", "description"]


def test_outputs_keep_their_nulls() -> None:
    inner: Inner = {"title": "a", "description": None, "properties": {}}
    Draft202012Validator(output_schema(Outer)).validate({"inner": inner, "many": None})


@pytest.mark.parametrize("name", published())
def test_the_schemas_of_every_tool_are_valid_lean_and_closed(name: str) -> None:
    takes, gives = published()[name]["input"], published()[name]["output"]
    for schema in (takes, gives):
        Draft202012Validator.check_schema(schema)
        assert titles(schema) == []
        assert schema["type"] == "object"
    assert takes["additionalProperties"] is False
    assert "null" not in json.dumps(takes["properties"])
