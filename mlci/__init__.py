"""GitOps for machine learning: check the data, judge the model, gate the merge."""

__version__ = "0.1.0"
