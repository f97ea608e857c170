"""Arguments that several commands share, and a parser that says what is wrong without echoing it raw."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from chekt_mcp.domain.app import BY_A_PERSON, Environment
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.scope import SERVER_SCOPES

DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes."""

ALL_SCOPES = ",".join(sorted(SERVER_SCOPES))

EVENT_SECONDS = 20


class Parser(argparse.ArgumentParser):
    """A parser of whole option names only, whose errors look like all our errors."""

    def __init__(self, **settings: object) -> None:
        settings.setdefault("allow_abbrev", False)
        super().__init__(**settings)  # type: ignore[arg-type]  # argparse takes these by name, whatever they are

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments and leave with 2."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"error: usage: {escaped(message, 300)}\n")


def tell_findings(parser: argparse.ArgumentParser, codes: str) -> None:
    """Say what the exit codes of a command mean whose 1 is a finding: whatever goes wrong is 2 then."""
    parser.epilog = f"Exit codes: {codes}."
    parser.set_defaults(no_answer=USAGE)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes, before or after its name."""
    common = parser.add_argument_group("where")
    quiet = argparse.SUPPRESS  # absent unless given, so that the place before the command and after it add up
    common.add_argument("--state", metavar="DIR", default=quiet, help="state directory (CHEKT_MCP_STATE)")
    common.add_argument(
        "--secrets-dir", metavar="DIR", default=quiet, help="directory for key files (CHEKT_MCP_SECRETS_DIR)"
    )
    common.add_argument("--dealer", metavar="NAME", default=quiet, help="dealer, where there are several")


def add_app_settings(parser: argparse.ArgumentParser) -> None:
    """Add what a new app is to be."""
    parser.add_argument("--scopes", metavar="LIST", help=f"scopes, by commas (default: {ALL_SCOPES})")
    parser.add_argument("--allow-list", metavar="FILE", help="allow list to start with; - reads standard input")
    parser.add_argument("--covers", metavar="LIST", default="", help="further apps of the dealer its key may ask about")
    parser.add_argument(
        "--confirm",
        choices=[one.value for one in BY_A_PERSON],
        help="who confirms changes (default: out_of_band for live apps, client for test apps)",
    )


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add where a new app runs."""
    parser.add_argument(
        "--env",
        choices=[one.value for one in Environment],
        default=Environment.TEST.value,
        help="live asks for an approver passphrase (default: test)",
    )


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """Add the way to give the approver passphrase without a terminal."""
    parser.add_argument(
        "--passphrase-stdin", action="store_true", help="read the approver passphrase from the first line of stdin"
    )


def add_event_target(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add where a webhook receiver's events go."""
    target = parser.add_mutually_exclusive_group(required=required)
    target.add_argument(
        "--to-command", metavar="COMMAND", help="program that gets each event on its standard input; 0 takes it"
    )
    target.add_argument(
        "--to-url",
        metavar="URL",
        help="https URL, or http on this machine, to which each delivery is posted; 2xx takes it",
    )
    parser.add_argument(
        "--time-limit",
        metavar="SECONDS",
        type=int,
        default=EVENT_SECONDS,
        help=f"how long the program or URL may take for one event (default: {EVENT_SECONDS})",
    )
