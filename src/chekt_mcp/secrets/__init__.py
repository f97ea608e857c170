"""Where secrets live: sinks for new keys, sealing at rest, the key-encryption key, the approver's passphrase."""
