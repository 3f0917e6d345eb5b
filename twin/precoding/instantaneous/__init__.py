"""Weights that follow the instantaneous channels, known or estimated from pilots."""
