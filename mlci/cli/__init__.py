"""Options in, one flow, exit code out."""
