"""Speed and memory of the twin; results are ratios within one run if possible."""
