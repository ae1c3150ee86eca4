"""`mlci doctor`: one small function a check, in a literal tuple for each group."""
