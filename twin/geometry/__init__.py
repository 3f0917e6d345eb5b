"""Positions of satellites and terminals, and the geometry of the links between them."""
