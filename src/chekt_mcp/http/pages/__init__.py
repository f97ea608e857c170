"""The approval pages: where a person decides in a browser. See `site`."""
