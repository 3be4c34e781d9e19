"""Designs and toxicity rules: one file each, all compiled to the same tables (``rules.py``).

``registry.py`` has the list of them; the package itself imports none, since most commands need one or two.
"""
