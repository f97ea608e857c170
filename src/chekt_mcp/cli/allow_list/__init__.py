"""Commands about the allow list."""
