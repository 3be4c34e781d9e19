"""A run in words, by the headings that its reader sees."""
