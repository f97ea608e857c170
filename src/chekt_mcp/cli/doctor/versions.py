"""Is what this program stands on installed, in versions it was made for."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError

from chekt_mcp import __version__
from chekt_mcp.cli.doctor.finding import Finding, failure, fine
from chekt_mcp.cli.doctor.surroundings import Surroundings

OLDEST_PYTHON = "3.11"
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;]*);?(.*)")
OPTIONAL = re.compile(r"\bextra\s*==")
BOUND = re.compile(r"(>=|<)\s*([0-9][0-9.]*)")
REINSTALL = "Install chekt-mcp again in a fresh virtual environment."


def check_versions(here: Surroundings) -> list[Finding]:
    """Hold Python and every package against the bounds of our own metadata; what an extra asks for may be missing."""
    troubles = [_package(requirement, here.version_of) for requirement in here.requirements]
    found = [one for one in troubles if one is not None]
    if _release(here.python) < _release(OLDEST_PYTHON):
        found.append(failure("versions", f"Python {here.python} is too old.", f"Use {OLDEST_PYTHON} or newer."))
    return found or [fine("versions", f"chekt-mcp {__version__}, Python {here.python}, all packages as required")]


def _package(requirement: str, version_of: Callable[[str], str]) -> Finding | None:
    parsed = REQUIREMENT.match(requirement)
    if parsed is None:
        return None
    name, bounds, marker = parsed.group(1), parsed.group(2).strip(), parsed.group(3)
    try:
        version = version_of(name)
    except PackageNotFoundError:
        if OPTIONAL.search(marker):
            return None
        return failure("versions", f"The package {name} is missing.", REINSTALL)
    if all(_within(version, *bound) for bound in BOUND.findall(bounds)):
        return None
    return failure("versions", f"{name} {version} is not what is needed ({bounds}).", REINSTALL)


def _within(version: str, operator: str, bound: str) -> bool:
    return _release(version) >= _release(bound) if operator == ">=" else _release(version) < _release(bound)


def _release(version: str) -> tuple[int, ...]:
    """Return the release segment as numbers without zeros at the end (PEP 440): 2.3.0 and 2.3 are the same."""
    numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    parts = [int(part) for part in numbers.group().split(".")] if numbers else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
