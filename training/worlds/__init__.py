"""Simulated worlds: seeded scenes with exact truth, from which perception and reasoning are trained."""
