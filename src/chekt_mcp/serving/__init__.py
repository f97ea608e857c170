"""`chekt-mcp serve --http`: the pieces put together, the sockets, the processes, and their end."""
