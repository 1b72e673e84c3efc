"""Training: worlds, data and models that make the files in `models/`."""
