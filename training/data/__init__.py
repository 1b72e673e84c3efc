"""Data sets for training and calibration: python -m training.data."""
