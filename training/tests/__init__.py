"""Tests of the training: python -m unittest discover -s training/tests -t ."""
