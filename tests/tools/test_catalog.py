"""The catalogue, the modules behind it and the published schemas say the same, both ways."""

from __future__ import annotations

from chekt_mcp.domain.scope import SERVER_SCOPES
from chekt_mcp.tools import analyzing, changing, endpoint, exporting, identity, reading, verifying
from chekt_mcp.tools.catalog import CATALOG, published, tool_scopes
from chekt_mcp.tools.publish import schemas

MODULES = {
    "identity": identity,
    "reading": reading,
    "endpoint": endpoint,
    "changing": changing,
    "analyzing": analyzing,
    "exporting": exporting,
    "verifying": verifying,
}


def test_every_tool_of_the_catalogue_is_bound_in_the_module_it_names() -> None:
    for name, spec in CATALOG.items():
        assert name in MODULES[spec.module].BINDINGS


def test_every_bound_tool_is_in_the_catalogue() -> None:
    bound = {name: module for module, where in MODULES.items() for name in where.BINDINGS}
    assert bound == {name: spec.module for name, spec in CATALOG.items()}


def test_every_tool_but_whoami_needs_a_scope_that_can_be_granted() -> None:
    assert [name for name, scope in tool_scopes().items() if scope is None] == ["whoami"]
    assert {scope for scope in tool_scopes().values() if scope} == set(SERVER_SCOPES)


def test_the_published_schemas_are_what_the_models_say() -> None:
    assert published() == schemas(), "run `python -m chekt_mcp.tools.publish` and look at the difference"


def test_the_tools_that_reach_other_servers_say_so() -> None:
    assert [name for name, spec in CATALOG.items() if spec.open_world] == ["check_webhook_endpoint", "verify_audit_log"]


def test_tools_that_change_something_say_so() -> None:
    destructive = {name for name, spec in CATALOG.items() if spec.destructive}
    assert destructive == {"update_allow_list", "rotate_key", "revoke_previous_key"}
    assert not any(CATALOG[name].read_only for name in destructive)
