"""Warehouses as engines: connected to by Ibis, asked in SQL of our own, held to a probe before the first question."""
