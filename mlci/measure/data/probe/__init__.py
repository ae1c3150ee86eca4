"""A small table whose answers are known, asked of a warehouse before the first question about real data."""
