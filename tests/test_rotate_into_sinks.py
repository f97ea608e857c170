"""Through the configured command and Vault: the server as a client starts it, settings as an operator makes them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from terminal_child import PROGRAM, Machine
from vault_server import Mount, Vault, serving
from world import Person, structured, words

pytestmark = pytest.mark.anyio
TOKEN = "hvs.EXAMPLE"  # noqa: S105 -- opens the test server only
DATA, METADATA = "secret/data/chekt/main/shop", "secret/metadata/chekt/main/shop"
STORE = """import os, sys
value = sys.stdin.read()
if os.path.exists("refuse"):
    sys.exit(3)
with open(sys.argv[1] + "." + sys.argv[2], "w") as file:
    file.write(value)
"""


@pytest.fixture
def vault() -> Vault:
    rules = {DATA: {"create", "update", "patch"}, METADATA: {"read"}}
    return Vault(policies={TOKEN: ("", rules)}, mounts={("", "secret"): Mount()})


@pytest.fixture
def into_vault(tmp_path: Path, vault: Vault) -> Iterator[Machine]:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    token_file.chmod(0o600)
    with serving(vault) as address:
        variables = {"CHEKT_MCP_VAULT_ADDRESS": address, "CHEKT_MCP_VAULT_TOKEN_FILE": str(token_file)}
        made = Machine(tmp_path, variables)
        made.ok("init", "--app", "shop")
        yield made


@pytest.fixture
def into_command(tmp_path: Path) -> Machine:
    (tmp_path / "store.py").write_text(STORE)
    made = Machine(tmp_path, {"CHEKT_MCP_SINK_COMMAND": f"'{sys.executable}' store.py {{app}} {{KIND}}"})
    made.ok("init", "--app", "shop")
    return made


@asynccontextmanager
async def session(machine: Machine) -> AsyncIterator[Client]:
    key_file = machine.secrets / "main" / "shop.api_key"
    environment = {**machine.environment(), "CHEKT_API_KEY_FILE": str(key_file)}
    started = StdioServerParameters(command=PROGRAM, args=["serve"], env=environment, cwd=machine.home)
    with anyio.fail_after(60):
        async with Client(started, elicitation_callback=Person(typed={"app": "shop"})) as client:
            yield client


async def rotate(client: Client, **more: Any) -> dict[str, Any]:
    return structured(await client.call_tool("rotate_key", {"reason": "scheduled", **more}))


def in_vault(vault: Vault) -> list[dict[str, str]]:
    return [version.data for version in vault.mounts["", "secret"].secrets.get("chekt/main/shop", [])]


async def test_both_credentials_of_an_app_go_into_one_secret_of_vault(into_vault: Machine, vault: Vault) -> None:
    async with session(into_vault) as client:
        first = await rotate(client)
        second = await rotate(client, kind="signing_secret")
    assert first["delivered_to"] == {"sink": "vault", "reference": "the field api_key of chekt/main/shop in Vault"}
    assert second["status"] == "rotated"
    newest = in_vault(vault)[-1]
    assert set(newest) == {"api_key", "signing_secret"}
    assert f"{first['key_id']}) is the api_key of app shop" in into_vault.ok(
        "keys", "identify", typed=newest["api_key"]
    )


async def test_a_lost_answer_of_vault_is_settled_by_delivering_the_same_key_again(
    into_vault: Machine, vault: Vault
) -> None:
    async with session(into_vault) as client:
        # Asking for capabilities is a POST too, and only the write may lose its answer.
        vault.before_write = lambda: vault.lost.add("POST")
        answer = await rotate(client)
        told = words(await client.call_tool("whoami", {}))
    assert answer["code"] == "delivery_unknown"
    assert f"chekt-mcp keys deliver {answer['rotation_id']}" in told
    assert f"keys deliver {answer['rotation_id']}" in into_vault.run("doctor").out
    vault.lost.clear()
    vault.before_write = lambda: None
    into_vault.ok("keys", "deliver", answer["rotation_id"])
    kept = [one["api_key"] for one in in_vault(vault)]
    assert len(set(kept)) == 1
    assert "It is the current one." in into_vault.ok("keys", "identify", typed=kept[0])


async def test_a_vault_that_refuses_leaves_the_old_key_in_force(into_vault: Machine, vault: Vault) -> None:
    vault.policies[TOKEN][1][DATA] = {"read"}
    async with session(into_vault) as client:
        answer = await rotate(client)
        status = structured(await client.call_tool("get_key_status", {}))
    assert (answer["status"], answer["code"]) == ("refused", "delivery_failed")
    assert (status["previous"], status["rotation"]) == (None, None)


async def test_a_command_gets_each_key_under_its_own_name(into_command: Machine) -> None:
    async with session(into_command) as client:
        answer = await rotate(client)
        await rotate(client, kind="signing_secret")
    assert answer["delivered_to"]["sink"] == "command"
    assert sorted(one.name for one in into_command.home.glob("shop.*")) == ["shop.API_KEY", "shop.SIGNING_SECRET"]
    key = (into_command.home / "shop.API_KEY").read_text()
    assert answer["key_id"] in into_command.ok("keys", "identify", typed=key)


async def test_a_command_that_fails_leaves_the_old_key_in_force(into_command: Machine) -> None:
    (into_command.home / "refuse").touch()
    async with session(into_command) as client:
        answer = await rotate(client)
        status = structured(await client.call_tool("get_key_status", {}))
    assert (answer["code"], status["previous"]) == ("delivery_failed", None)
    assert "exit code 3" in answer["message"]


async def test_two_places_for_keys_are_refused_by_every_command(into_command: Machine) -> None:
    both = Machine(into_command.home, {**into_command.variables, "CHEKT_MCP_VAULT_ADDRESS": "https://v.example.com"})
    assert both.run("app", "list").error == "bad_setting"
