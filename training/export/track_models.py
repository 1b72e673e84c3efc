"""Graphs and manifest entries of the forecaster and the cause head, for python -m training.export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.export.track_inputs import cause_inputs, forecaster_inputs
from training.models.cause_features import STEPS as CAUSE_STEPS
from training.models.causes import CauseGraph, CauseHead
from training.models.forecaster import AHEAD, BINS, MODES, PAIR_TYPES, SINGLE_TYPES, STEPS, Forecaster, ForecasterGraph

TRACKS = ["boxes", "seen", "kind", "age", "aspect"]
FORECASTS = ["single", "pair", "paths", "modes"]
EVENT = ["event", "role", "contact"]
TRACED_THINGS = 7
"""Traced with several objects: the tracer would treat sizes of 1 as constants."""


def load(model: nn.Module, path: Path) -> nn.Module:
    """Load weights of a checkpoint."""
    model.load_state_dict(torch.load(path, weights_only=True)["module"])
    return model.eval()


def forecaster_graph(work: Path) -> ForecasterGraph:
    """Trained forecaster."""
    return ForecasterGraph(load(Forecaster(), work / "forecast.pt")).eval()


def cause_graph(work: Path) -> CauseGraph:
    """Trained cause head."""
    return CauseGraph(load(CauseHead(), work / "causes.pt")).eval()


def axes(names: list[str]) -> dict[str, Any]:
    """Dynamic axes of the inputs and outputs."""
    fixed = {"aspect", "event"}
    both = {"contact", "pair"}
    return {name: {0: "objects", 1: "objects"} if name in both else {0: "objects"} for name in names if name not in fixed}


def track_tensors(steps: int) -> dict[str, Any]:
    """Types and shapes of the tracks."""
    shapes = {"boxes": ("float32", ["objects", steps, 4]), "seen": ("float32", ["objects", steps])}
    shapes |= {"kind": ("int64", ["objects"]), "age": ("float32", ["objects"]), "aspect": ("float32", [1])}
    return {name: {"type": kind, "shape": shape} for name, (kind, shape) in shapes.items()}


def tensor(*shape: int | str, kind: str = "float32") -> dict[str, Any]:
    """Type and shape of a tensor."""
    return {"type": kind, "shape": list(shape)}


UNITS = (
    "Boxes are x, y, w, h in frame heights (x from 0 to the aspect ratio), at 10 Hz, newest last, 0 where not seen; 1 to 48 objects. "
    "kind: 0 person, 1 vehicle, 2 animal, 3 other. "
)

FORECASTER_ENTRY = {
    "name": "presage-forecaster",
    "role": "forecaster",
    "inputs": track_tensors(STEPS),
    "outputs": {
        "single": tensor("objects", len(SINGLE_TYPES), BINS),
        "pair": tensor("objects", "objects", len(PAIR_TYPES), BINS),
        "paths": tensor("objects", MODES, AHEAD, 3),
        "modes": tensor("objects", MODES),
    },
    "settings": {"single": list(SINGLE_TYPES), "pair": list(PAIR_TYPES), "binS": 0.5, "loiterBinS": 10 / BINS},
    "notes": UNITS
    + "Probabilities that the first event of the type falls into each of the bins of the next 3 s (loiter 10 s); their sum is that of the "
    "event. paths: x, y, standard deviation at 10 Hz from 0.1 s on.",
}

CAUSES_ENTRY = {
    "name": "presage-causes",
    "role": "causes",
    "inputs": track_tensors(CAUSE_STEPS)
    | {"event": tensor(1, kind="int64"), "role": tensor("objects", kind="int64"), "contact": tensor("objects", "objects", 2)},
    "outputs": {"necessary": tensor("objects")},
    "settings": {"afterS": 0.4},
    "notes": UNITS
    + "The tracks end afterS after the event. event: index in EVENT_TYPES; role: 1 first participant, 2 second, 0 other; contact: confidence "
    "of the newest contact reported of the two before the event (not the event itself; 0 none), and its seconds before the event.",
}

GRAPHS = {
    "forecaster": (forecaster_graph, forecaster_inputs, TRACKS, FORECASTS, FORECASTER_ENTRY, "training/train/runs/forecast.json"),
    "causes": (cause_graph, cause_inputs, TRACKS + EVENT, ["necessary"], CAUSES_ENTRY, "training/train/runs/causes.json"),
}
