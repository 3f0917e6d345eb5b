"""The max-min problem of powers, solved by an interior-point method."""
