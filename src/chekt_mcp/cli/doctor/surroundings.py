"""Everything of this machine that the checks look at, so that a test can give another one."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment, the places of configuration files, and what is installed."""

    environ: Mapping[str, str] = field(repr=False)
    home: Path
    working_directory: Path
    system: str
    """`linux` or `darwin`, as `sys.platform` says it."""
    python: str
    requirements: tuple[str, ...]
    """What this package needs, as its metadata says (PEP 508)."""
    version_of: Callable[[str], str]


def of_this_machine(environ: Mapping[str, str]) -> Surroundings:
    """Look at the machine this runs on."""
    return Surroundings(
        environ=environ,
        home=Path.home(),
        working_directory=Path.cwd(),
        system=sys.platform,
        python=platform.python_version(),
        requirements=tuple(metadata.requires("chekt-mcp") or ()),
        version_of=metadata.version,
    )
