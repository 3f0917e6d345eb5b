"""Digests of whole traces, recorded before the code was rearranged."""
