"""Measure what running a model takes: time, memory, CPU."""
