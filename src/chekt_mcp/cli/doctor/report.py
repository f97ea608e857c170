"""`chekt-mcp doctor`: every check, one line each; ends with 1 when something is broken."""

from __future__ import annotations

import asyncio

from chekt_mcp.cli.arguments import DONE, FAILED, Parser
from chekt_mcp.cli.command import Command, carry_out
from chekt_mcp.cli.doctor.anchors import check_anchors
from chekt_mcp.cli.doctor.clients import check_clients
from chekt_mcp.cli.doctor.clock import check_clock
from chekt_mcp.cli.doctor.delivery import check_delivery
from chekt_mcp.cli.doctor.finding import Finding, Level, bad_setting, failed, fine
from chekt_mcp.cli.doctor.keys import KeyPlace, check_keys, configured_here
from chekt_mcp.cli.doctor.state import check_directory, check_rotations, check_sealing
from chekt_mcp.cli.doctor.surroundings import Surroundings, of_this_machine
from chekt_mcp.cli.doctor.versions import check_versions
from chekt_mcp.config import Settings
from chekt_mcp.errors import ChektError
from chekt_mcp.operations.services import Clock
from chekt_mcp.storage.sqlite import refuse_damaged
from chekt_mcp.wiring import open_services, system_clock


def configure(_parser: Parser) -> None:
    """Describe the arguments: there are none of its own."""


def run(command: Command) -> int:
    """Look at this machine and say what is to be done."""
    settings, bad = command.usable_settings()
    findings = [*map(bad_setting, bad), *carry_out(examine(settings, of_this_machine(command.environ)))]
    for finding in findings:
        command.terminal.say(finding.line())
    broken = sum(finding.level is Level.FAIL for finding in findings)
    command.terminal.say(f"\n{broken} broken." if broken else "\nNothing is broken.")
    return FAILED if broken else DONE


async def examine(settings: Settings, here: Surroundings, clock: Clock = system_clock) -> list[Finding]:
    """Run every check that can be run; what is missing shows in one line, not in a dozen."""
    clients, places = check_clients(here, settings)
    directory = check_directory(settings)
    found = [*check_versions(here), *directory]
    if settings.state.is_dir():
        found += await _inside(settings, [*configured_here(settings), *places], clock)
    return [*found, *clients]


async def _inside(settings: Settings, places: list[KeyPlace], clock: Clock) -> list[Finding]:
    try:
        services = open_services(settings, clock=clock)
    except ChektError as error:
        return [failed("database", error)]
    try:
        return [
            await _whole(settings),
            *await check_sealing(services),
            *await check_delivery(services),
            *await check_rotations(services),
            *await check_anchors(services),
            *await check_clock(services),
            *await check_keys(services, settings, places),
        ]
    except ChektError as error:
        return [failed("database", error)]
    finally:
        await services.storage.close()


async def _whole(settings: Settings) -> Finding:
    await asyncio.to_thread(refuse_damaged, settings.state)
    return fine("database", "it opens, and every page of it can be read")
