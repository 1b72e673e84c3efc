"""Seeded inputs of the forecaster and the cause head, for tracing and for the check of parity. NumPy only."""

from __future__ import annotations

import numpy as np

TRACK_CASES = (1, 2, 7, 48)
"""Numbers of objects."""


def tracks(things: int, steps: int) -> dict[str, np.ndarray]:
    """Objects on straight lines with jitter and gaps; the last of several was never in view."""
    rng = np.random.default_rng([things, steps])
    time = np.arange(steps)[None, :, None] / 10
    corner = rng.uniform(0, 1.2, (things, 1, 2)) + rng.normal(0, 0.05, (things, 1, 2)) * time
    size = np.repeat(rng.uniform(0.05, 0.3, (things, 1, 2)), steps, 1)
    boxes = np.concatenate([corner, size], 2) + rng.normal(0, 0.002, (things, steps, 4))
    seen = (rng.random((things, steps)) > 0.1).astype(np.float32)
    if things > 1:
        seen[-1] = 0
    return {
        "boxes": (boxes * seen[..., None]).astype(np.float32),
        "seen": seen,
        "kind": rng.integers(0, 4, things).astype(np.int64),
        "age": rng.uniform(0, 60, things).astype(np.float32),
        "aspect": np.array([1.4], np.float32),
    }


def forecaster_inputs(things: int) -> dict[str, np.ndarray]:
    return tracks(things, 30)


def cause_inputs(things: int) -> dict[str, np.ndarray]:
    """A collision of the first two; a third of the pairs touched before."""
    rng = np.random.default_rng([things, 3])
    told = np.triu(rng.random((things, things)) < 0.33, 1)
    contact = np.stack([told * rng.uniform(0.1, 1, told.shape), told * rng.uniform(0, 9, told.shape)], -1)
    role = np.zeros(things, np.int64)
    role[: min(things, 2)] = [1, 2][: min(things, 2)]
    contact = (contact + contact.transpose(1, 0, 2)).astype(np.float32)
    return tracks(things, 100) | {"event": np.array([10], np.int64), "role": role, "contact": contact}
