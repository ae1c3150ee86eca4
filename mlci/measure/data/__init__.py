"""From a table's policy to checks, from checks to as few queries as possible."""
