"""Exact and simulated operating characteristics of single-arm phase 2 cancer trials with dose reduction."""

__version__ = "0.1.0"
