"""The state directory, the key-encryption key, and what a crash may have left."""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.cli.doctor.finding import Finding, failed, failure, fine, warning
from chekt_mcp.config import Settings
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.rotation import Rotation
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import ChektError, StateUnusable
from chekt_mcp.operations.keys.open_rotation import described
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.records import Dealer
from chekt_mcp.storage.sqlite import permissions_problems

PROBE = "doctor"


def check_directory(settings: Settings) -> list[Finding]:
    """Look at owner and mode of the directory and its database; nothing is changed."""
    if not settings.state.is_dir():
        return [
            failed("state", StateUnusable("There is no state directory.", code="state_missing", fix=_init(settings)))
        ]
    troubles = [
        failure("state", f"{escaped(str(one.path))}: {one.problem}", f"Run {escaped(one.fix)}.")
        for one in permissions_problems(settings.state)
    ]
    return troubles or [fine("state", f"{escaped(str(settings.state))} is for this user alone")]


async def check_sealing(services: Services) -> list[Finding]:
    """Tell whether the key-encryption key can be had and opens the data key of every dealer."""
    dealers = await services.storage.read(lambda reader: reader.dealers())
    if not dealers:
        return [failure("state", "The state holds no dealer yet.", "Run `chekt-mcp init`.")]
    try:
        services.sealing()
    except ChektError as error:
        return [failed("key-encryption key", error)]
    troubles = [trouble for dealer in dealers if (trouble := _unsealable(services, dealer))]
    opens = f"it opens the data keys of {counted(len(dealers), 'dealer', 'dealers')}"
    return troubles or [fine("key-encryption key", opens)]


async def check_rotations(services: Services) -> list[Finding]:
    """Take up what a crashed process left behind, and report what still waits, or waits for a person."""
    stuck = await recover(services)
    now = services.clock()
    undecided = await services.storage.read(lambda reader: reader.undecided_rotations())
    troubles = [failure("rotations", f"{one.rotation_id} of {one.app}: {_message(one, now)}") for one in undecided]
    troubles += [failure("rotations", text) for text in stuck if not any(one.rotation_id in text for one in undecided)]
    waiting = await services.storage.read(lambda reader: reader.unfinished_rotations())
    if troubles:
        return troubles
    if waiting:
        apps = ", ".join(sorted({one.app for one in waiting}))
        return [warning("rotations", f"A new key of {apps} is being delivered.", "Look again in two minutes.")]
    return [fine("rotations", "none is unfinished")]


def _message(rotation: Rotation, now: datetime) -> str:
    return described(rotation, now)["message"]


def _unsealable(services: Services, dealer: Dealer) -> Finding | None:
    try:
        services.sealing().seal(dealer.wrapped_key, dealer.name, PROBE, PROBE)
    except ChektError as error:
        return failed(f"key-encryption key, dealer {dealer.name}", error)
    return None


def _init(settings: Settings) -> str:
    return f"Run `chekt-mcp init`, or name another than {escaped(str(settings.state))} with --state or CHEKT_MCP_STATE."
