"""Tests of what needs the standard library only: python -m unittest discover -s training/tests -t ."""
