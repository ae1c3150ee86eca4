"""Pure functions from measurements to findings."""
