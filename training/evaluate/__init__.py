"""Scores on held-out data and published data sets."""
