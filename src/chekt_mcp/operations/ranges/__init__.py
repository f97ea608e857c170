"""Ranges that providers publish, as allow-list text."""
