"""Allow lists: read, check, preview, change."""
