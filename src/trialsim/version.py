"""The version, on the ground floor so that every result can carry it."""

__version__ = "0.1.0"
