"""Imports point inward only (ARCHITECTURE): this test reads them and holds their direction."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "chekt_mcp"

MAY_IMPORT = {
    "errors": set(),
    "setting_values": {"errors"},
    "oauth_setting": {"setting_values"},
    "config": {"errors", "setting_values", "oauth_setting"},
    "domain": {"errors", "domain"},
    "storage": {"errors", "domain", "storage"},
    "secrets": {"errors", "domain", "secrets"},
    "network": {"errors", "domain", "network"},
    "auth": {"errors", "domain", "auth", "storage.interface"},
    "operations": {
        "errors",
        "domain",
        "auth",
        "operations",
        "storage.interface",
        "storage.records",
        "secrets.interface",
        "network.interface",
        "hand_on.interface",
        "anchors.interface",
    },
    "hand_on": {"errors", "domain", "hand_on"},
    "anchors": {"errors", "domain", "network", "anchors"},
    "http": {"errors", "domain", "auth", "operations", "http", "hand_on.interface"},
    "tools": {"errors", "domain", "auth", "operations", "tools", "storage.interface"},
    "webhook": {"errors", "domain", "webhook"},
}
"""Layer → what it may import of ours. `server`, `serving`, `stdio`, `wiring` and `cli` put everything together."""

FORBIDDEN_IN_DOMAIN = {"mcp", "mcp_types", "sqlite3", "httpx", "socket", "os", "pathlib", "time", "random", "secrets"}


PURE_PARTS = {"socket", "socket.AF_INET", "socket.AF_INET6", "socket.inet_pton", "socket.inet_ntop", "socket.inet_aton"}
"""Address parsing by the C library: text in, bytes out, no socket opened."""


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def layer_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} uses a relative import"
            names.update({node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names})
    return names


def ours(path: Path) -> set[str]:
    return {name.removeprefix("chekt_mcp.") for name in imported(path) if name.startswith("chekt_mcp.")}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_inward(path: Path) -> None:
    allowed = MAY_IMPORT.get(layer_of(path))
    if allowed is None:
        assert layer_of(path) in {"__init__", "__main__", "cli", "logs", "server", "serving", "stdio", "wiring"}
        return
    outward = {
        name
        for name in ours(path) - {"__version__"}
        if not any(name == target or name.startswith(target + ".") for target in allowed)
        and not any(target.startswith(name + ".") for target in allowed)
    }
    assert not outward, f"{path.relative_to(SOURCE)} may not import {sorted(outward)}"


@pytest.mark.parametrize(
    "path", sorted((SOURCE / "domain").rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_domain_has_no_io_no_clock_and_no_randomness(path: Path) -> None:
    used = imported(path) - PURE_PARTS
    assert not {name.split(".")[0] for name in used} & FORBIDDEN_IN_DOMAIN
    calls = {node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)}
    assert not {call.id for call in calls if isinstance(call, ast.Name)} & {"open", "input", "print"}
    assert not {call.attr for call in calls if isinstance(call, ast.Attribute)} & {"now", "utcnow", "today"}


def test_every_module_stays_readable() -> None:
    long = {str(path.relative_to(SOURCE)): lines for path in modules() if (lines := _lines(path)) > 300}
    assert not long


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())
