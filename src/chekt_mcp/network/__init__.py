"""Looking at other people's servers: which address may be contacted, and what it answers."""
