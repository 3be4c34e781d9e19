"""Pictures of the page: numbers that are already worked out -> plain data for plotly, words and a table; one a file."""
