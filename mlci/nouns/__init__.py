"""Frozen values that the floors pass to each other."""
