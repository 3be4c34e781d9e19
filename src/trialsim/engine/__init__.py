"""Engines: the same Rules under the same Truth, exactly and by simulation."""
