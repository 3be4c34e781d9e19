"""Answers in words, one file an answer; a run, whose report is long, in a package of its own."""
