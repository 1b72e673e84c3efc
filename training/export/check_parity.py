"""Compares the exported files with the outputs of PyTorch at export, value by value.

    python -m training.export.check_parity

Needs neither a checkpoint nor PyTorch: training/train/runs/parity.json holds the outputs of PyTorch for seeded inputs. The grid
is
also compared with a second implementation (`pyramid.grid_of`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from training.data.pixels.pyramid import GRID_COLUMNS, GRID_ROWS, grid_of
from training.export.track_inputs import TRACK_CASES, cause_inputs, forecaster_inputs
from training.paths import REFERENCE, ROOT

TOLERANCE = 2e-5
SAMPLES = 64
CASES = [(1, 100, 200), (3, 288, 384), (12, 576, 768)]
"""(objects, height, width) of the pictures."""


def object_inputs(things: int, height: int, width: int) -> dict[str, np.ndarray]:
    """Random valid inputs: maps on a canvas with a border, a picture, boxes partly outside it, points."""
    rng = np.random.default_rng([things, height, width])
    rows, columns = 12 * 32 // 8, 13 * 32 // 8
    feed: dict[str, np.ndarray] = {
        f"p{k + 3}": rng.normal(size=(1, 128, rows >> k, columns >> k)).astype(np.float32) for k in range(3)
    }
    for name, scale in (("y", 1), ("u", 2), ("v", 2)):
        feed[name] = rng.integers(16, 236, (1, 1, height // scale, width // scale), dtype=np.uint8)
    boxes = np.concatenate([rng.uniform(-0.1, 0.8, (things, 2)), rng.uniform(0.02, 0.4, (things, 2))], 1)
    given = (np.arange(things) % 2)[:, None]
    points = np.concatenate([boxes[:, :2] + boxes[:, 2:] * 0.4, np.ones((things, 1))], 1) * given
    covered = np.array([1, 0.8125], np.float32)
    return feed | {"covered": covered, "boxes": boxes.astype(np.float32), "points": points.astype(np.float32)}


def scene_inputs() -> dict[str, np.ndarray]:
    """Random grid."""
    grid = np.random.default_rng(11).normal(size=(1, 16, GRID_ROWS * GRID_COLUMNS, 256))
    return {"grid": grid.astype(np.float32)}


def sampled(values: np.ndarray) -> list[float]:
    """At most SAMPLES values, evenly spread over the array."""
    flat = values.reshape(-1)
    return [round(float(v), 7) for v in flat[np.linspace(0, flat.size - 1, min(SAMPLES, flat.size)).astype(int)]]


def outputs(path: Path, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs by name."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def gaps(reference: dict[str, Any]) -> dict[str, float]:
    """Largest difference by model, case and output."""
    found = {}
    for things, height, width in CASES:
        feed, case = object_inputs(things, height, width), f"objects {things} x {height} x {width}"
        values = outputs(ROOT / "models" / "objects.onnx", feed)
        for name, expected in reference[case].items():
            found[f"{case} {name}"] = float(np.abs(np.array(sampled(values[name])) - expected).max())
        maps = {name: feed[name][0] for name in ("p3", "p4", "p5")} | {"covered": feed["covered"]}
        found[f"{case} grid, NumPy"] = float(np.abs(values["grid"] - grid_of(maps)).max())
        found[f"{case} length of embeddings"] = float(np.abs(np.linalg.norm(values["tokens"], axis=1) - 1).max())
    if "clip" in reference:
        embedding = outputs(ROOT / "models" / "clip.onnx", scene_inputs())["token"]
        found["scene embedding"] = float(np.abs(np.array(sampled(embedding)) - reference["clip"]["token"]).max())
    return found | track_gaps(reference)


def track_gaps(reference: dict[str, Any]) -> dict[str, float]:
    """Largest differences of the forecaster and the cause head; infinite where a value is not finite."""
    found = {}
    for model, inputs_of in (("forecaster", forecaster_inputs), ("causes", cause_inputs)):
        for things in TRACK_CASES if f"{model} {TRACK_CASES[0]}" in reference else ():
            values, case = outputs(ROOT / "models" / f"{model}.onnx", inputs_of(things)), f"{model} {things}"
            for name, expected in reference[case].items():
                gap = float(np.abs(np.array(sampled(values[name])) - expected).max())
                found[f"{case} {name}"] = gap if np.isfinite(values[name]).all() else float("inf")
    return found


def main() -> None:
    """Run the command line."""
    found = gaps(json.loads(REFERENCE.read_text()))
    for name, gap in found.items():
        print(f"{gap:.2e}  {name}")
    if max(found.values()) > TOLERANCE:
        sys.exit(f"a difference is above {TOLERANCE}: the exported files do not match the trained models")


if __name__ == "__main__":
    main()
