"""Makes the files in `models/`: simulated worlds, training data, networks, export and evaluation."""
