"""`chekt-mcp partner …`: partners whose services sign assertions with keys of their own."""
