"""Training data of the models of the reasoner: python -m training.data."""
