"""Association policies, one file each."""
