"""`chekt-mcp audit …`: the audit log."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.commands import Table, add_commands

ACTIONS: Table = {
    "import": ("chekt_mcp.cli.audit.import_file", "import an export of CHeKT's audit log, or another log by a mapping"),
    "search": ("chekt_mcp.cli.audit.search", "find entries by what they say, newest first, a page at a time"),
    "analyze": ("chekt_mcp.cli.audit.analyze", "count a window of it, and say what is unusual"),
    "correlate": ("chekt_mcp.cli.audit.correlate", "lay an application's log beside it: what is on one side only"),
    "export": ("chekt_mcp.cli.audit.export", "write a window of it to a file, with a signed manifest"),
    "verify": ("chekt_mcp.cli.audit.verify", "has it been altered: every row, the tree, and who vouches for it"),
    "checkpoint": ("chekt_mcp.cli.audit.checkpoint", "print what it is now, signed, to be kept elsewhere"),
    "key": ("chekt_mcp.cli.audit.key", "print the public key that its checkpoints are verified with"),
    "verify-export": ("chekt_mcp.cli.audit.verify_export", "check such a file with nothing but the files and a key"),
    "retention": ("chekt_mcp.cli.audit.retention", "say or set how long it is kept, by the dealer's plan with CHeKT"),
    "prune": ("chekt_mcp.cli.audit.prune", "remove what is older than that; --dry-run says what would go"),
    "hold": ("chekt_mcp.cli.audit.hold.group", "place, show and clear a legal hold, which stops every prune"),
}


def configure(parser: Parser) -> None:
    """Describe the actions."""
    add_commands(parser, ACTIONS)
