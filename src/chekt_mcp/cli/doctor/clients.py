"""Are clients configured to start this server: its program found, its state this one, its key in a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from chekt_mcp.cli.doctor.client_files import ClientEntry, Unreadable, entries
from chekt_mcp.cli.doctor.finding import Finding, failed, failure, fine, warning
from chekt_mcp.cli.doctor.keys import KeyPlace
from chekt_mcp.cli.doctor.surroundings import Surroundings
from chekt_mcp.config import Settings, without_bad_settings
from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import InvalidInput

AGAIN = "`chekt-mcp app show NAME` prints the configuration again."
VARIABLE = "${"
"""Begins a value that the client fills in (VS Code: `${input:…}`): nothing to look at here."""


def check_clients(here: Surroundings, settings: Settings) -> tuple[list[Finding], list[KeyPlace]]:
    """Judge every entry of ours, and return the keys they name."""
    found: list[Finding] = []
    keys: list[KeyPlace] = []
    for entry in entries(here):
        if isinstance(entry, Unreadable):
            found.append(warning(f"client ({entry.client})", f"{escaped(str(entry.file))} cannot be read as JSON."))
            continue
        found += list(_troubles(here, settings, entry)) or [fine(_subject(entry), f"starts {escaped(entry.command)}")]
        keys += [] if _bad_settings(entry) else _key(here, entry)
    if not any(finding.subject.startswith("client") for finding in found):
        found.append(warning("client", "No client's configuration names chekt-mcp in the usual places.", AGAIN))
    return found, keys


def _troubles(here: Surroundings, settings: Settings, entry: ClientEntry) -> Iterator[Finding]:
    subject, env = _subject(entry), entry.environment
    if shutil.which(Path(entry.command).expanduser(), path=here.environ.get("PATH")) is None:
        yield failure(subject, f"Its command {escaped(entry.command)} is not found.", AGAIN)
    if "serve" not in entry.arguments:
        yield failure(subject, "Its arguments lack `serve`.", AGAIN)
    if any(contains_credential(text) for text in (*entry.arguments, *env.values())):
        fix = "Put the key into a 0600 file, name it in CHEKT_API_KEY_FILE, and rotate it if others can read this."
        yield warning(subject, "It holds a key in clear.", fix)
    if not {"CHEKT_API_KEY_FILE", "CHEKT_API_KEY"} & {*env, *here.environ}:
        yield failure(subject, "It names no key.", f"Add CHEKT_API_KEY_FILE to its env; {AGAIN}")
    bad = _bad_settings(entry)
    yield from (failed(subject, error) for error in bad)
    if not bad and _other_state(settings, env.get("CHEKT_MCP_STATE")):
        yield warning(
            subject, "It uses another state directory than the one looked at here.", "Look at it with --state."
        )


def _bad_settings(entry: ClientEntry) -> list[InvalidInput]:
    """Return what is wrong with the variables it sets; nothing is said of those that the client fills in."""
    filled_in = any(VARIABLE in value for value in entry.environment.values())
    return [] if filled_in else without_bad_settings(entry.environment)[1]


def _other_state(settings: Settings, named: str | None) -> bool:
    if named is None or VARIABLE in named:
        return False
    return Path(named).expanduser().resolve() != settings.state.resolve()


def _key(here: Surroundings, entry: ClientEntry) -> list[KeyPlace]:
    file, value = entry.environment.get("CHEKT_API_KEY_FILE"), entry.environment.get("CHEKT_API_KEY")
    if file and VARIABLE not in file:
        return [KeyPlace(entry.client, file=here.working_directory / Path(file).expanduser())]
    return [KeyPlace(entry.client, value=value)] if value and not file and VARIABLE not in value else []


def _subject(entry: ClientEntry) -> str:
    return f"client ({entry.client}, {escaped(str(entry.file))}, {escaped(entry.name, 48)})"
