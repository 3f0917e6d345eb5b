"""P1: satellites together without a common phase, jointly or stream by stream, under any convex power constraints."""
