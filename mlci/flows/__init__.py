"""One job each: read, measure, judge, render."""
