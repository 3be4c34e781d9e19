"""The page: a scenario's text, a form made from its models, and pictures that follow every move."""
