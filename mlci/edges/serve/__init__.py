"""The HTTP server, and the log of what it answered."""
