"""The edge towards HTTP, as plain ASGI 3: whoever serves brings the server."""
