"""Qualification on the machine where trialsim is used: installation, operation, performance.

``comparing.py`` has what a comparison is, ``tables/`` the reference tables of other programs (``data/``) against the
numbers worked out here, ``enumeration.py`` and ``twin.py`` slow oracles that share no code with the engines,
``installation.py``, ``operation.py`` and ``performance.py`` the tests, ``qualify.py`` all of them together.
"""
