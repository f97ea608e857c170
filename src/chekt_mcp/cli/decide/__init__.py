"""Deciding what assistants asked for."""
