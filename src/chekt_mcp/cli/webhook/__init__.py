"""Commands about webhook deliveries."""
