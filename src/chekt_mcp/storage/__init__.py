"""Where things are kept: `interface.py` says what every engine promises; one package per engine."""
