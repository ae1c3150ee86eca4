"""The statistics of the gate: what a test set can prove about a change, and what it cannot."""
