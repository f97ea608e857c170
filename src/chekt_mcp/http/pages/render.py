"""Pages out of templates: everything is escaped by the library, and a name that a template lacks is an error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from chekt_mcp.http.pages.guard import guarded


def page(template: str, values: Mapping[str, object], status: int = 200) -> Response:
    """Return a page made from one of our templates."""
    return guarded(HTMLResponse(_environment().get_template(template).render(values), status))


def message(status: int, heading: str, text: str, base: str) -> Response:
    """Return a page that says one thing."""
    return page("message.html", {"heading": heading, "text": text, "base": base}, status)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("chekt_mcp.http.pages"), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
