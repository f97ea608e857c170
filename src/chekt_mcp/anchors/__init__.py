"""Places outside this machine that keep checkpoints, so that nobody here can rewrite the log unseen."""
