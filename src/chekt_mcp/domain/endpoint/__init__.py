"""Is a URL fit to receive deliveries: rules for the URL, its addresses, its TLS, its certificate, its answer."""
