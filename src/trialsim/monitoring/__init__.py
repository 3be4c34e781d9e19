"""While a trial runs: its decision table, and what is likely from where it stands."""
