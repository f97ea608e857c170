"""`chekt-mcp audit …`: the audit log."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "import": ("chekt_mcp.cli.audit.import_file", "import an export of CHeKT's audit log, or another log by a mapping"),
    "search": ("chekt_mcp.cli.audit.search", "find entries of the log, newest first, a page at a time"),
    "analyze": ("chekt_mcp.cli.audit.analyze", "count a window of the log, and say what is unusual"),
    "correlate": ("chekt_mcp.cli.audit.correlate", "say what only an application's log has, or only ours"),
    "export": ("chekt_mcp.cli.audit.export", "write a window of the log to a file, with a signed manifest"),
    "verify": ("chekt_mcp.cli.audit.verify", "say whether the log was altered, and who vouches for it"),
    "checkpoint": ("chekt_mcp.cli.audit.checkpoint", "print what the log is now, signed, to be kept elsewhere"),
    "key": ("chekt_mcp.cli.audit.key", "print the public key that the log's checkpoints are verified with"),
    "verify-export": ("chekt_mcp.cli.audit.verify_export", "check an export with nothing but its files and a key"),
    "retention": ("chekt_mcp.cli.audit.retention", "say or set how long the log is kept, by the dealer's plan"),
    "prune": ("chekt_mcp.cli.audit.prune", "remove entries older than the log is kept; --dry-run says what would go"),
    "hold": ("chekt_mcp.cli.audit.hold.group", "place, show and clear a legal hold, which stops every prune"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
