"""Weights that follow the channel of the moment, known or estimated from pilots."""
