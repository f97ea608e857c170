"""Webhooks: verify, receive, hand on, try out, and look at an endpoint."""
