"""The MCP layer: thin. What exists is in `catalog.py`; how a call runs is in `gateway.py`."""
