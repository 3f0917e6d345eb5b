"""Which version this is."""

VERSION = "0.1.0"
"""Stands in every trace; rows are the same for the same scenario, seed and version."""
