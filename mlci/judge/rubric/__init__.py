"""The 28 tests of the ML Test Score, judged by what a repository shows."""
