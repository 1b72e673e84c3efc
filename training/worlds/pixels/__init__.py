"""Worlds that are rendered as video with exact masks."""
