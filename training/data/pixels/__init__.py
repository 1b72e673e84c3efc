"""Rendered scenes as cached detector features with exact truth."""
