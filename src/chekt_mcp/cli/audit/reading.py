"""How a log of another make is to be read: a mapping file, and the zone of times that name none."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from pathlib import Path

from chekt_mcp.cli.command import Command
from chekt_mcp.domain.exposure import redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.import_mapping import NO_MAPPING, ImportMapping, Reading
from chekt_mcp.domain.import_mapping_text import read_mapping
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.opened import open_file

LIMIT = 65_536
"""Bytes of a mapping file."""

OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")


def chosen_reading(command: Command) -> Reading:
    """Return what `--map` and `--timezone` say.

    Raises:
        InvalidInput: codes `unreadable_file`, `bad_mapping` (what is wrong was printed), `bad_timezone`.
    """
    file, zone = command.args.map, command.args.timezone
    mapping = _mapping(command, Path(file).expanduser()) if file is not None else NO_MAPPING
    return Reading(mapping, _zone(zone) if zone is not None else None, zone or "")


def _mapping(command: Command, file: Path) -> ImportMapping:
    found = read_mapping(_text(file))
    if isinstance(found, ImportMapping):
        return found
    for problem in found:
        place = f"{escaped(redacted(problem.place), 80)}: " if problem.place else ""
        command.terminal.note(f"  {place}{problem.message}")
    raise InvalidInput(
        "The mapping cannot be used as it is.", field="map", code="bad_mapping", fix="Mend what is named above."
    )


def _text(file: Path) -> str:
    with open_file(file) as stream:
        raw = stream.read(LIMIT + 1)
    try:
        if len(raw) <= LIMIT:
            return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise InvalidInput(f"The mapping is not UTF-8 text of at most {LIMIT:,} bytes.", field="map", code="bad_mapping")


def _zone(name: str) -> tzinfo:
    offset = OFFSET.fullmatch(name)
    if offset:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-away if offset[1] == "-" else away)
    import zoneinfo  # noqa: PLC0415 -- few imports need it

    try:
        return zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        raise InvalidInput(
            "There is no such time zone here.",
            field="timezone",
            code="bad_timezone",
            fix="Write an offset (+02:00) or a name of the IANA database (Europe/Berlin, UTC).",
        ) from None
