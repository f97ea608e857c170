"""The embedded engine: one SQLite file in the state directory, shared by every process that opens it."""

from chekt_mcp.storage.sqlite.engine import SqliteStorage, open_storage
from chekt_mcp.storage.sqlite.integrity import refuse_damaged
from chekt_mcp.storage.sqlite.permissions import PermissionProblem, permissions_problems

__all__ = ["PermissionProblem", "SqliteStorage", "open_storage", "permissions_problems", "refuse_damaged"]
