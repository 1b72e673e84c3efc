"""Simulated worlds: seeded scenes with exact truth."""
