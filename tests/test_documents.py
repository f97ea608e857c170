"""README, SECURITY, server.json and CONTRIBUTING stay true: what they show and promise is held here."""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chekt_mcp import __version__, config
from chekt_mcp.cli.arguments import Parser, add_common
from chekt_mcp.cli.commands import COMMANDS, add_commands
from chekt_mcp.tools.catalog import CATALOG

ROOT = Path(__file__).parent.parent
CLAIMS = json.loads((ROOT / "tests" / "claims.json").read_text("utf-8"))
VARIABLE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|(?:rot|key|req|apr|imp)_[a-z2-7]{12,20}"
    r"|chekt_test_…[A-Za-z0-9]{4}|^(?:\| )?[0-9]+ (?=<)"
)


def document(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def section(name: str, heading: str) -> str:
    text = document(name).split(f"\n## {heading}\n", 1)[1]
    return text.split("\n## ", 1)[0]


def bullets(text: str) -> list[str]:
    found = re.findall(r"^- (.+(?:\n  .+)*)", text, re.MULTILINE)
    return [" ".join(bullet.split()) for bullet in found]


def steady(line: str) -> str:
    """Replace what differs from run to run."""
    return re.sub(r"\b[0-9]+ <", "<", VARIABLE.sub("<>", line.strip()))


@pytest.fixture(scope="module")
def demo() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_demo_succeeds(demo: subprocess.CompletedProcess[str]) -> None:
    assert demo.returncode == 0, demo.stdout + demo.stderr


def test_the_readmes_session_is_what_the_demo_prints(demo: subprocess.CompletedProcess[str]) -> None:
    shown = section("README.md", "A session").split("```text\n", 1)[1].split("```", 1)[0]
    printed: Iterator[str] = iter([steady(line) for line in demo.stdout.splitlines()])
    for line in (steady(line) for line in shown.splitlines() if line.strip()):
        assert line in printed, f"the demo does not print, in this order: {line}"


def test_no_credential_is_in_what_the_demo_prints(demo: subprocess.CompletedProcess[str]) -> None:
    assert not re.search(r"chekt_(whsec_)?(test|live)_[A-Za-z0-9]{8}", demo.stdout + demo.stderr)


def test_the_readme_lists_every_tool_with_its_scope() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `?([\w:]+)`? \|", section("README.md", "Tools"), re.MULTILINE)
    assert rows == [(name, spec.scope.value if spec.scope else "any") for name, spec in CATALOG.items()]


def test_the_readme_and_config_describe_the_same_settings() -> None:
    variables = set(re.findall(r"`(CHEKT_\w+)`", config.__doc__ or ""))
    rows = re.findall(r"^\| `(CHEKT_\w+)`", section("README.md", "Settings"), re.MULTILINE)
    assert (set(rows), len(rows)) == (variables, len(variables))


PAGES = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_document_names_is_there(page: Path) -> None:
    sources = [file for suffix in ("py", "json", "sql") for file in (ROOT / "src").rglob(f"*.{suffix}")]
    known = set(re.findall(r"\w+", " ".join(file.read_text("utf-8") for file in sources)))
    assert set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", page.read_text("utf-8"))) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_document_names_is_one(page: Path) -> None:
    named = re.findall(
        r"(?:`|^(?:\$ )?)chekt-mcp ((?!export manifest)[a-z-][^`\n#|]*)", page.read_text("utf-8"), re.MULTILINE
    )
    assert [line for line in named if not _is_command(line.split())] == []


def _is_command(words: list[str]) -> bool:
    parser: argparse.ArgumentParser = Parser()
    add_common(parser)
    add_commands(parser, COMMANDS, words)
    while words and (choices := _choices(parser)) and not words[0].startswith("-"):
        if words[0] not in choices:
            return False
        parser, words = choices[words[0]], words[1:]
    options = {option for action in parser._actions for option in action.option_strings}  # noqa: SLF001 -- argparse tells nobody else
    return {word for word in words if re.fullmatch(r"--[a-z-]+", word)} <= options


def _choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 -- as above
    return dict(groups[0].choices) if groups else {}


def test_server_json_is_true() -> None:
    described = json.loads(document("server.json"))
    (package,) = described["packages"]
    project = tomllib.loads(document("pyproject.toml"))["project"]
    assert described["$schema"].endswith("/2025-12-11/server.schema.json")
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", described["name"])
    assert 1 <= len(described["description"]) <= 100
    assert described["version"] == package["version"] == project["version"] == __version__
    assert (package["registryType"], package["identifier"]) == ("pypi", project["name"])
    assert package["transport"] == {"type": "stdio"}


def test_server_json_names_every_setting_and_marks_the_secret_ones() -> None:
    (package,) = json.loads(document("server.json"))["packages"]
    variables = {one["name"]: one.get("isSecret", False) for one in package["environmentVariables"]}
    assert set(variables) == set(re.findall(r"`(CHEKT_\w+)`", config.__doc__ or ""))
    secret = {"CHEKT_API_KEY", "CHEKT_MCP_KEK", "CHEKT_MCP_OAUTH_CLIENT_SECRET"}
    assert {name for name, is_secret in variables.items() if is_secret} == secret


def test_the_readme_proves_ownership_to_the_registry() -> None:
    assert f"mcp-name: {json.loads(document('server.json'))['name']}" in document("README.md")


def test_the_changelog_has_the_version_or_unreleased_changes() -> None:
    assert re.search(rf"^## \[(Unreleased|{re.escape(__version__)})\]", document("CHANGELOG.md"), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "heading"), [("SECURITY.md", "What we promise"), ("README.md", "What you can rely on")]
)
def test_every_promise_is_tied_to_tests_and_the_other_way_round(name: str, heading: str) -> None:
    assert [claim["promise"] for claim in CLAIMS if claim["in"] == name] == bullets(section(name, heading))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["promise"][:60])
def test_the_tests_that_hold_a_promise_exist(claim: dict[str, list[str]]) -> None:
    assert claim["tests"]
    for test in claim["tests"]:
        file, name = test.split("::")
        defined = {
            node.name
            for node in ast.walk(ast.parse(document(f"tests/{file}")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name in defined, f"{test} is not there"


def test_no_file_names_a_package_registry() -> None:
    hosts = ("pypi" + ".org", "files.python" + "hosted.org", "registry.npm" + "js.org", "deb.debian" + ".org")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    for name in tracked.stdout.splitlines():
        text = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        assert not any(host.encode() in text for host in hosts), name
