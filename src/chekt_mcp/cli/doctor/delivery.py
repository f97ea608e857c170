"""Can a rotation put a new key where it is configured to: every sink can tell, and leaves nothing behind."""

from __future__ import annotations

from chekt_mcp.cli.doctor.finding import Finding, failed, fine
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import App, Authority
from chekt_mcp.errors import ChektError
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader

SUBJECT = "delivery"


async def check_delivery(services: Services) -> list[Finding]:
    """Prove the sink of one app of each dealer, as a rotation does; the others' go to the same kind of place."""
    return [await _proven(services, app) for app in await services.storage.read(_one_of_each_dealer)]


async def _one_of_each_dealer(reader: Reader) -> list[App]:
    """Return the first app whose keys are issued here, of each dealer that has one."""
    every = [await reader.apps(dealer.name) for dealer in await reader.dealers()]
    local = [[app for app in apps if app.authority is Authority.LOCAL] for apps in every]
    return [apps[0] for apps in local if apps]


async def _proven(services: Services, app: App) -> Finding:
    sink = services.sinks.choose(app.dealer, app.name, KeyKind.API_KEY, own=False)
    try:
        await sink.prove()
    except ChektError as error:
        return failed(SUBJECT, error)
    return fine(SUBJECT, f"a new key could be put into {sink.reference}")
