"""Commands about the ranges that providers publish."""
