"""The official conformance suite over a real socket, at both revisions; a proxy adds the credential it cannot send.

Every check passes that needs no fixture of the suite's own, and every message is valid by the specification's schema.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.domain.rate_tier import RateTier
from clients.conformance_fixtures import EXTENSIONS, FIXTURES, NOT_SERVED
from clients.credential_proxy import CredentialProxy
from clients.node import CONFORMANCE, installed, run_node
from http_site import serving
from world import Clock, World

REVISIONS = ("2026-07-28", "2025-11-25")
SCHEMA = "wire-schema-valid"
FINE = {"SUCCESS", "INFO", "SKIPPED"}


class Ticking(Clock):
    """A second goes by whenever somebody looks: the suite asks more often than the largest rate allows at once."""

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(frozen=True, slots=True)
class Check:
    """What the suite found in one check."""

    scenario: str
    name: str
    status: str
    said: str


@dataclass(frozen=True, slots=True)
class Report:
    """What it found at one revision, and what that revision requires."""

    required: tuple[str, ...]
    checks: tuple[Check, ...]

    def amiss(self) -> list[Check]:
        return [one for one in self.checks if one.status not in FINE]


async def conform(revision: str, directory: Path) -> Report:
    world = World(directory / "state", clock=Ticking())
    key = await world.add_app("shop")
    app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
    assert app is not None
    generous = replace(app, rate=RateTier.ENTERPRISE)
    await world.storage.write(lambda writer: writer.update_app(generous, world.clock()))
    listed = await run_node(CONFORMANCE, "list", "--requirements", revision)
    async with serving(world) as served, CredentialProxy(served.port, key).running() as port:
        where = ("--url", f"http://127.0.0.1:{port}/mcp", "--requirements", revision, "--output-dir", str(directory))
        await run_node(CONFORMANCE, "server", *where, seconds=240)
    await world.storage.close()
    return Report(tuple(required(listed.out)), tuple(found(directory)))


def required(listing: str) -> Iterator[str]:
    """Read the server scenarios that a revision requires from the suite's own list."""
    of_servers = listing.partition("Server scenarios")[2].partition("\n\n")[0]
    return (match[1] for match in re.finditer(r"^\s+- (\S+)", of_servers, re.MULTILINE))


def found(directory: Path) -> Iterator[Check]:
    for file in sorted(directory.glob("server-*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", file.parent.name)
        for check in json.loads(file.read_text("utf-8")):
            yield Check(scenario, check["id"], check["status"], said(check))


def said(check: dict[str, Any]) -> str:
    return str(check.get("errorMessage") or check.get("details") or "")


@pytest.fixture(scope="module", params=REVISIONS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return asyncio.run(conform(request.param, tmp_path_factory.mktemp("conformance")))


def test_every_scenario_that_a_revision_requires_was_run(report: Report) -> None:
    assert len(report.required) > 20
    assert set(report.required) <= {one.scenario for one in report.checks} | {"tasks-status-notifications"}


def test_every_check_passes_that_needs_no_fixture_of_the_suites_own(report: Report) -> None:
    unexcused = [
        one
        for one in report.amiss()
        if not one.scenario.startswith(EXTENSIONS)
        and one.name not in FIXTURES.get(one.scenario, {})
        and one.name not in NOT_SERVED
    ]

    assert unexcused == []


def test_every_message_is_valid_by_the_schema_of_its_revision(report: Report) -> None:
    judged = [one for one in report.checks if one.name == SCHEMA]

    assert len(judged) > 20
    assert [one for one in judged if one.status != "SUCCESS"] == []


def test_no_check_is_excused_that_would_pass(report: Report) -> None:
    passed = {(one.scenario, one.name) for one in report.checks if one.status == "SUCCESS"}

    excused = {(scenario, name) for scenario, names in FIXTURES.items() for name in names}
    assert excused & passed == set()


def test_what_is_excused_names_a_fixture_that_the_suite_itself_asks_for() -> None:
    suite = installed(CONFORMANCE).read_text("utf-8")

    for scenario, checks in FIXTURES.items():
        assert scenario in suite
        for fixture in checks.values():
            assert fixture in suite, fixture
