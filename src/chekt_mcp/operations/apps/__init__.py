"""Apps: set up, adopt, settings."""
