"""Numerical methods that know nothing of satellites."""
