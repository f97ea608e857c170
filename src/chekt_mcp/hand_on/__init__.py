"""Where accepted events are handed on to: `interface.py` says what a target promises; one module per kind."""
