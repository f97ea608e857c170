"""The audit log: search, import, correlate."""
