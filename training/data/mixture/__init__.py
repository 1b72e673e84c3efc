"""Calibration rows of the forecast mixture, computed by the TypeScript reasoner."""
