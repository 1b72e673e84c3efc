"""Worlds without pixels, compiled by Numba: a scene takes a few milliseconds."""
