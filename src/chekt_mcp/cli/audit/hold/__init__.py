"""`chekt-mcp audit hold …`: what stops a log from being pruned."""
