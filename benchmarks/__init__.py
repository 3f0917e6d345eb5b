"""Speed and memory of the twin; each figure is a ratio within one run where it can be."""
