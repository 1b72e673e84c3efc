"""Writes test/fixtures/worlds/tracks-00000.npz: two tiny scenes in the form of python -m training.data tracks. Needs NumPy."""

from pathlib import Path

import numpy as np

SCENES, STEPS, THINGS = 2, 4, 3
COLLIDE = 10

boxes = np.zeros((SCENES, STEPS, THINGS, 4), np.float16)
boxes[:, :, 0] = [0.25, 0.5, 0.125, 0.25]
boxes[:, :, 1] = [1.375, 0.25, 0.25, 0.5]
boxes[:, :, 0, 0] += np.arange(STEPS, dtype=np.float16) / 8
seen = np.zeros((SCENES, STEPS, THINGS), bool)
seen[:, :, :2] = True
true_seen = seen.copy()
seen[:, 2, 0] = False
true_seen[:, 3, 1] = False

arrays = {
    "boxes": boxes,
    "seen": seen,
    "true_boxes": boxes,
    "true_seen": true_seen,
    "kind": np.array([[3, 3, -1], [0, 1, -1]], np.int8),
    "label": np.array([[5, 6, 0], [0, 1, 0]], np.int8),
    "aspect": np.array([1.5, 1.5], np.float32),
    "world": np.array([0, 1], np.int8),
    "ev_scene": np.array([0, 0, 1], np.int32),
    "ev_type": np.array([0, COLLIDE, COLLIDE], np.int8),
    "ev_a": np.array([0, 0, 1], np.int8),
    "ev_b": np.array([-1, 1, 0], np.int8),
    "ev_t": np.array([0.0, 0.25, 0.125], np.float32),
    "necessary": np.array([[-1, -1, -1], [-1, -1, 1], [-1, -1, 0]], np.int8),
}
out = Path(__file__).parents[2] / "fixtures" / "worlds" / "tracks-00000.npz"
out.parent.mkdir(parents=True, exist_ok=True)
np.savez(out, **arrays)
