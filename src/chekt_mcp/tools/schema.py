"""JSON Schemas as a client is sent them: pydantic's, without what only costs a model tokens."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter

Schema = dict[str, Any]


def input_schema(model: type[BaseModel]) -> Schema:
    """Return the schema of a tool's arguments: no titles, no docstrings, no null for what may be left out."""
    schema = model.model_json_schema()
    schema.pop("description", None)
    return _without_null(_lean(schema))


def output_schema(shape: type) -> Schema:
    """Return the schema of a tool's structured result. Nulls stay: clients validate against it."""
    schema = TypeAdapter(shape).json_schema()
    schema.pop("description", None)
    lean: Schema = _lean(schema)
    return lean


def _lean(node: Any, *, names: bool = False) -> Any:
    """Drop generated titles, and the docstrings of nested shapes; `names` marks a mapping of property names."""
    if isinstance(node, list):
        return [_lean(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or not (key == "title" and isinstance(value, str))}
    if "properties" in kept and not names:
        kept.pop("description", None)
    return {key: _lean(value, names=not names and key in {"properties", "$defs"}) for key, value in kept.items()}


def _without_null(schema: Schema) -> Schema:
    for name, field in schema.get("properties", {}).items():
        if field.get("default", ...) is None:
            field.pop("default")
        options = [option for option in field.pop("anyOf", ()) if option != {"type": "null"}]
        if len(options) > 1:
            field["anyOf"] = options
        elif options:
            schema["properties"][name] = {**options[0], **field}
    return schema
