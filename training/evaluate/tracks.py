"""Scores of the exported forecaster and cause head on held-out simulated tracks, in ONNX Runtime as at run time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from training.data.tracks.examples import THINGS, TRACK_NAMES, Examples, shard_files
from training.evaluate.probability_scores import f1, scores
from training.models.forecaster import BINS, PAIR_TYPES, SINGLE_TYPES
from training.train.stages.causes import CAUSE_NAMES, scenes_of
from training.train.stages.forecast import examples_of
from training.worlds.progress import Progress
from training.worlds.tracks.events import EVENT_TYPES

WORLDS = ("table-top", "street")
MOMENTS = 2
INTEGERS = ("kind", "event", "role")

Predictions = dict[str, list[tuple[float, float]]]
"""Pairs (probability, truth) by type or world."""
Feed = dict[str, np.ndarray]


def evaluate_tracks(root: Path, models: Path, limit: int) -> dict[str, Any]:
    """Scores by type and world of `forecaster.onnx` and `causes.onnx` in `models`, if present, on at most `limit` scenes."""
    files = shard_files(root)
    report: dict[str, Any] = {"dataset": "tracks", "shards": len(files)}
    for name, evaluate in (("forecaster", forecasts), ("causes", causes)):
        path = models / f"{name}.onnx"
        report[name] = evaluate(files, path, limit) if path.exists() else f"not scored: {path} does not exist"
    return report


def forecasts(files: list[Path], model: Path, limit: int) -> dict[str, Any]:
    """Scores of each due item of the standard forecast against the actual outcome in the scene."""
    examples = examples_of(files)
    chosen = spread(examples.size, MOMENTS * limit)
    run = runner(model)
    predicted: Predictions = {}
    for index in counted(chosen, "forecasts"):
        single, pair = run(feed_of(examples, index, TRACK_NAMES), ["single", "pair"])
        world, count = WORLDS[examples.world[index]], int(examples.count[index])
        actual = examples.arrays["actual_single"][index, :count]
        for n, name in enumerate(SINGLE_TYPES):
            add(predicted, (name, "all", world), single[:, n].sum(-1), actual[:, n], lambda bin_: bin_ < BINS)
        upper = np.triu_indices(count, 1)
        actual = examples.arrays["actual_pair"][index, :count, :count]
        for n, name in enumerate(PAIR_TYPES):
            add(predicted, (name, "all", world), pair[:, :, n].sum(-1)[upper], actual[:, :, n][upper], lambda bin_: bin_ < BINS)
    return {name: scores(*columns(predicted[name])) for name in (*SINGLE_TYPES, *PAIR_TYPES, "all", *WORLDS) if name in predicted}


def causes(files: list[Path], model: Path, limit: int) -> dict[str, Any]:
    """Scores of each (event, object) whose necessity is known from counterfactual simulation."""
    scenes = scenes_of(files)
    run = runner(model)
    predicted: Predictions = {}
    for index in counted(spread(scenes.events.size, limit), "causes"):
        rows = {name: values.numpy()[0] for name, values in scenes.rows(np.array([index])).items()}
        feed = {name: whole(name, rows[name]) for name in CAUSE_NAMES}
        (necessary,) = run(feed, ["necessary"])
        world = WORLDS[scenes.events.world[index]]
        kind = EVENT_TYPES[int(rows["event"])]
        add(predicted, ("all", world, f"{world} {kind}"), necessary, rows["necessary"], lambda value: value > 0)
    return {name: scores(*columns(pairs)) | f1(*columns(pairs)) for name, pairs in sorted(predicted.items())}


def runner(model: Path) -> Callable[[Feed, list[str]], list[np.ndarray]]:
    """Function that runs a model on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    wanted = {taken.name for taken in session.get_inputs()}

    def run(feed: Feed, outputs: list[str]) -> list[np.ndarray]:
        return session.run(outputs, {name: values for name, values in feed.items() if name in wanted})

    return run


def feed_of(examples: Examples, index: int, names: tuple[str, ...]) -> Feed:
    """Inputs of one example without padding."""
    count = int(examples.count[index])
    return {
        name: whole(name, values[:count] if np.ndim(values) and len(values) == THINGS else values)
        for name in names
        for values in [examples.arrays[name][index]]
    }


def whole(name: str, values: np.ndarray) -> np.ndarray:
    """Types and ranks of docs/fused-model.md: a single number has shape [1]."""
    return np.atleast_1d(values).astype(np.int64 if name in INTEGERS else np.float32)


def add(
    predicted: Predictions, names: tuple[str, ...], probability: np.ndarray, actual: np.ndarray, true: Callable[[int], bool]
) -> None:
    """Add the due items; `actual` is -1 for others."""
    for p, value in zip(probability.ravel().tolist(), actual.ravel().tolist(), strict=True):
        if value >= 0:
            for name in names:
                predicted.setdefault(name, []).append((p, float(true(value))))


def columns(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and truths."""
    probability, true = np.array(pairs, float).T
    return probability, true


def spread(size: int, limit: int) -> np.ndarray:
    """At most `limit` evenly spaced numbers below `size`."""
    return np.unique(np.linspace(0, size - 1, min(size, limit)).astype(int))


def counted(values: np.ndarray, name: str) -> Iterator[int]:
    """Iterate with a progress bar."""
    with Progress(len(values)) as bar:
        for value in values.tolist():
            yield value
            bar.step(name)
