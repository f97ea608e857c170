"""Commands about keys and their rotations."""
