"""Training of all stages, and fits of classifiers, mixture weights and noise parameters."""
