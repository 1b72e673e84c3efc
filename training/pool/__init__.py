"""Weights by which sampled paths, learned forecaster and rules are pooled: fitted on simulated validation scenes."""
