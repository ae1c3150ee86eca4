"""The log of predictions and labels: written by the server, read by the monitor."""
