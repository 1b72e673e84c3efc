"""One module for each training stage: data, losses, scores."""
