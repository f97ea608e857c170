"""Writes `schemas.json`: `python -m chekt_mcp.tools.publish`. Its diff is what a change does to clients."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from chekt_mcp.tools.catalog import CATALOG
from chekt_mcp.tools.schema import input_schema, output_schema


def schemas() -> dict[str, dict[str, object]]:
    """Return tool → its schemas, made from the models."""
    bindings = {name: spec.binding() for name, spec in CATALOG.items()}
    return {
        name: {"input": input_schema(binding.takes), "output": output_schema(binding.gives)}
        for name, binding in bindings.items()
    }


def main() -> None:
    """Write the file beside this module."""
    target = Path(str(resources.files("chekt_mcp.tools").joinpath("schemas.json")))
    target.write_text(json.dumps(schemas(), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
