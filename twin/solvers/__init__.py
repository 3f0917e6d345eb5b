"""Numerical methods that do not depend on satellites or channels."""
