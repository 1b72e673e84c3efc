"""Inputs of the forecaster and the cause head by a formula, for tracing and for the parity checks in Python and TypeScript."""

from __future__ import annotations

import numpy as np

TRACK_CASES = (1, 2, 7, 48)
"""Numbers of objects to test with."""
GOLDEN = 0.6180339887498949
PER_THING = 7


def spread(index: np.ndarray | int) -> np.ndarray:
    """Map integers to 0–1, identically in every language: multiples of the golden ratio modulo 1."""
    return np.asarray(index, np.float64) * GOLDEN % 1


def tracks(things: int, steps: int) -> dict[str, np.ndarray]:
    """Objects on straight lines with jitter and gaps; the last of several objects is never in view."""
    thing, step, value = np.arange(things), np.arange(steps), np.arange(4)
    first = thing * PER_THING
    place = np.stack([spread(first + 1) * 1.2, spread(first + 2) * 0.8], 1)[:, None]
    velocity = np.stack([spread(first + 3) - 0.5, spread(first + 4) - 0.5], 1)[:, None] * 0.1
    size = np.stack([spread(first + 5), spread(first + 6)], 1)[:, None] * 0.25 + 0.05
    straight = np.concatenate([place + velocity * (step[:, None] / 10), np.repeat(size, steps, 1)], 2)
    jitter = spread((thing[:, None, None] * steps + step[:, None]) * 4 + value + 500) - 0.5
    seen = spread(thing[:, None] * steps + step + 9000) > 0.1
    if things > 1:
        seen[-1] = False
    return {
        "boxes": ((straight + jitter * 0.004) * seen[..., None]).astype(np.float32),
        "seen": seen.astype(np.float32),
        "kind": (thing % 4).astype(np.int64),
        "age": (spread(first + 7) * 60).astype(np.float32),
        "aspect": np.array([1.4], np.float32),
    }


def forecaster_inputs(things: int) -> dict[str, np.ndarray]:
    """Inputs of forecaster.onnx."""
    return tracks(things, 30)


def cause_inputs(things: int) -> dict[str, np.ndarray]:
    """Inputs of causes.onnx: a collision of the first two objects; a third of the pairs touched before."""
    low, high = np.minimum.outer(np.arange(things), np.arange(things)), np.maximum.outer(np.arange(things), np.arange(things))
    code = low * 48 + high
    touched = (spread(code + 77) < 0.33) & (low != high)
    contact = np.stack([touched * (spread(code + 333) * 0.9 + 0.1), touched * spread(code + 555) * 9], -1)
    role = np.array([1, 2, *[0] * things][:things], np.int64)
    return tracks(things, 100) | {"event": np.array([10], np.int64), "role": role, "contact": contact.astype(np.float32)}
