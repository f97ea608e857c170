"""Everything at the terminal: one module per group of commands, `main` puts them together."""
