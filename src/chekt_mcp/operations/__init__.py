"""The jobs, one module each: what a tool, the command line and an HTTP route all call."""
