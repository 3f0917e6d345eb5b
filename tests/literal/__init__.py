"""Slow, literal versions of printed algorithms, to hold the fast ones against, in the papers' letters."""
