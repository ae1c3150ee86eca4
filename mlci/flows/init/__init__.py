"""`mlci init`: find, ask, plan, write."""
