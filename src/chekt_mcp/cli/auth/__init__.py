"""`chekt-mcp auth …`: what becomes of a credential over HTTP."""
