"""Handovers from a policy's decision to their outcome."""
