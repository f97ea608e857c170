"""Rules only: no I/O, no clock, no randomness of its own, no MCP, no SQL."""
