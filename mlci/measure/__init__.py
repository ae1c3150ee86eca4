"""Pure functions from policy and arrays to plans and measurements."""
