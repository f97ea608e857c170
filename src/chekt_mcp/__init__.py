"""chekt-mcp: security operations for CHeKT Apps over the Model Context Protocol."""

__version__ = "0.1.0"
