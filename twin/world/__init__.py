"""The world as it is and as the network believes it to be, assembled from a scenario."""
