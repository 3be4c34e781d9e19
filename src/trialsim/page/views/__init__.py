"""The parts of the page: each has a NAME, a TITLE, ``panel()`` that says what stands where, and ``serve``."""
