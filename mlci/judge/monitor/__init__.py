"""Evidence that production has changed, under one bound on false alarms for a whole horizon."""
