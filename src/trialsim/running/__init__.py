"""A scenario run: everything worked out once, before a word is said."""
