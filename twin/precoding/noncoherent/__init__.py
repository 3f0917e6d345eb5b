"""P1: non-coherent transmission, jointly or stream by stream, under convex power constraints."""
