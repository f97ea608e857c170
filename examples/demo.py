"""The main job, end to end, on a fresh state: `make demo`.

Starts a real server as a child process, talks to it with a real MCP client, and plays the story of a strange
address at night. Exits 0 when every answer was the right one, 1 otherwise. Writes only to a temporary folder.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import sample_incident as incident
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

HERE = Path(__file__).parent
COMMAND = str(Path(sys.executable).parent / "chekt-mcp")
APP = incident.APP
UNUSUAL = {"first_seen_address", "denied_then_allowed", "burst"}


@dataclass
class Person:
    """The person at the client: reads what is asked, says no the first time and types the app's name the second."""

    answers: list[str | None] = field(default_factory=lambda: [None, APP])

    async def __call__(self, context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG002 -- the SDK's form
        """Answer one form."""
        answer = self.answers.pop(0)
        show("The person is asked", params.message)
        if answer is None:
            print("   > the person declines")
            return ElicitResult(action="decline")
        print(f"   > the person types: {answer}")
        return ElicitResult(action="accept", content={"app": answer})


@dataclass
class Story:
    """What the demo expects, and whether it was so."""

    failures: list[str] = field(default_factory=list)

    def expect(self, what: str, *, holds: bool) -> None:
        """Note one expectation."""
        print(f"   {'ok ' if holds else 'NOT'} {what}")
        if not holds:
            self.failures.append(what)


def main() -> int:
    """Play the story in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="chekt-mcp-demo-") as folder:
        story = Story()
        state = prepare(Path(folder))
        anyio.run(play, state, story)
    if story.failures:
        print("\nThe demo FAILED: " + "; ".join(story.failures))
        return 1
    print("\nThe demo is done: every answer was the right one.")
    return 0


def prepare(folder: Path) -> Path:
    """Create a state with two apps and the sample log, with the commands that a person would type."""
    state, allowed, log = folder / "state", folder / "allow-list.txt", folder / "log.csv"
    allowed.write_text(incident.ALLOW_LIST)
    shift_log(HERE / "sample_log.csv", log)
    headline("Setting up: chekt-mcp init, app add, audit import")
    run(state, "init", "--dealer", "acme", "--app", APP, "--env", "test", "--allow-list", str(allowed))
    run(state, "app", "add", "trainee", "--env", "test", "--scopes", "allowlist:read")
    run(state, "audit", "import", str(log))
    return state


def run(state: Path, *arguments: str) -> None:
    """Run a chekt-mcp command and show what it says."""
    done = subprocess.run(
        [COMMAND, "--state", str(state), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    show("$ chekt-mcp " + " ".join(arguments), (done.stdout + done.stderr).strip())
    if done.returncode:
        raise SystemExit(done.returncode)


def shift_log(source: Path, target: Path) -> None:
    """Write the sample log so that it ends now."""
    with source.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    newest = max(datetime.fromisoformat(row["timestamp"]) for row in rows)
    shift = datetime.now(UTC) - newest
    for row in rows:
        moved = datetime.fromisoformat(row["timestamp"]) + shift
        row["timestamp"] = moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with target.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def server(state: Path, app: str) -> StdioServerParameters:
    """Return how an MCP client starts the server: what `init` printed as the client's configuration."""
    key_file = state / "secrets" / "acme" / f"{app}.api_key"
    environment = {**os.environ, "CHEKT_MCP_STATE": str(state), "CHEKT_API_KEY_FILE": str(key_file)}
    return StdioServerParameters(command=COMMAND, args=["serve"], env=environment)


async def play(state: Path, story: Story) -> None:
    """Talk to the server as an assistant would."""
    async with Client(server(state, APP), elicitation_callback=Person()) as client:
        await look(client, state, story)
        await change(client, state, story)
    async with Client(server(state, "trainee")) as client:
        headline("A caller without the scope tries the same")
        denied = await call(client, "rotate_key", {"reason": "scheduled"})
        story.expect("refused, naming the missing scope", holds=denied.is_error and "keys:write" in words(denied))


async def look(client: Client, state: Path, story: Story) -> None:
    """Ask what is going on."""
    headline("Who am I")
    me = await call(client, "whoami", {})
    story.expect("the key opens every tool", holds=all(tool["allowed"] for tool in data(me)["tools"]))

    headline(f"A strange address, {incident.ADDRESS}: is it allowed")
    checked = data(await call(client, "check_ip", {"addresses": [incident.ADDRESS]}))
    story.expect("denied by the allow list", holds=checked["results"][0]["verdict"] == "denied")

    headline("A webhook came in: is it real")
    body, headers = signed_webhook(state)
    genuine = data(await call(client, "verify_webhook", {"headers": headers, "body": body}))
    story.expect("valid", holds=genuine["verdict"] == "valid")
    tampered = body.replace("HIGH", "LOW") if "HIGH" in body else body.replace("alarm.created", "alarm.resolved")
    forged = data(await call(client, "verify_webhook", {"headers": headers, "body": tampered}))
    story.expect("the same with one word changed: invalid", holds=forged["verdict"] == "invalid")

    headline("What did that address do")
    search = {"source_ip": incident.ADDRESS, "since": "48h", "limit": 5}
    found = data(await call(client, "search_audit_log", search))
    story.expect("its calls are found, and the answer says there are more", holds=not found["complete"])
    acted = data(await call(client, "search_audit_log", {**search, "scope": "alarms:write"}))
    story.expect("it acknowledged an alarm", holds=any("acknowledge" in one["action"] for one in acted["entries"]))

    headline("What else was unusual in the last two days")
    analysed = data(await call(client, "analyze_audit_log", {"since": "48h"}))
    codes = {finding["code"] for finding in analysed["findings"]}
    story.expect("an address never seen before, refused and then let in, and a burst", holds=codes >= UNUSUAL)

    headline("Has the log been altered")
    verified = data(await call(client, "verify_audit_log", {}))
    story.expect("nothing is wrong, and nobody outside vouches yet", holds=verified["status"] == "unanchored")


async def change(client: Client, state: Path, story: Story) -> None:
    """Rotate the key: the person says no, then yes."""
    headline("The key may have leaked: rotate it (the person says no)")
    refused = data(await call(client, "rotate_key", {"reason": "suspected_compromise"}))
    story.expect("declined, nothing changed", holds=refused["status"] == "declined")

    headline("Asked again, without a time of grace (the person confirms)")
    old = key_file(state).read_text()
    rotated = await call(client, "rotate_key", {"reason": "suspected_compromise", "revoke_previous_now": True})
    new = key_file(state).read_text()
    story.expect("rotated", holds=data(rotated)["status"] == "rotated")
    story.expect("the new key is in its file, and in no answer", holds=new != old and new.strip() not in str(rotated))
    status = data(await call(client, "get_key_status", {}))
    story.expect("the session goes on with the new key", holds=status["used_by_this_session"])


def signed_webhook(state: Path) -> tuple[str, dict[str, str]]:
    """Sign the sample body as CHeKT does, with the app's signing secret from its file."""
    body = (HERE / "sample_webhook.json").read_text("utf-8")
    secret = (state / "secrets" / "acme" / f"{APP}.signing_secret").read_text().strip()
    timestamp = str(int(datetime.now(UTC).timestamp()))
    signature = hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return body, {
        "X-CHeKT-Signature": signature,
        "X-CHeKT-Timestamp": timestamp,
        "X-CHeKT-Event-Id": json.loads(body)["id"],
        "X-CHeKT-Delivery-Id": "del_8jx2k",
        "X-CHeKT-Attempt": "1",
    }


def key_file(state: Path) -> Path:
    """Return where the app's key lives, as the client's configuration names it."""
    return state / "secrets" / "acme" / f"{APP}.api_key"


async def call(client: Client, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
    """Call a tool and show question and answer."""
    shown = {name: "…" if name in {"headers", "body"} else value for name, value in arguments.items()}
    print(f"   {tool} {json.dumps(shown, ensure_ascii=False)}")
    result = await client.call_tool(tool, dict(arguments))
    show("refused" if result.is_error else "answer", words(result))
    return result


def data(result: CallToolResult) -> dict[str, Any]:
    """Return the structured answer; empty for a refusal."""
    return dict(result.structured_content or {})


def words(result: CallToolResult) -> str:
    """Return the answer's text."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def headline(text: str) -> None:
    """Print what comes next."""
    print(f"\n=== {text}")


def show(label: str, text: str) -> None:
    """Print a block, indented."""
    print(f"   {label}:")
    print(textwrap.indent(text, "   | "))


if __name__ == "__main__":
    sys.exit(main())
