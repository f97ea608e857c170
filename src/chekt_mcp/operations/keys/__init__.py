"""Keys and signing secrets: status, rotation, recovery, revocation."""
