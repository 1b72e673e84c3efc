"""Scores of the exported forecaster and cause head on held-out simulated tracks, through ONNX Runtime as Presage runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

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

Told = dict[str, list[tuple[float, float]]]
"""Pairs (probability, truth) by what they are about."""
Feed = dict[str, np.ndarray]


def evaluate_tokens(root: Path, models: Path, most: int) -> dict:
    """Scores by type and world of whichever of `forecaster.onnx` and `causes.onnx` is in `models`; of at most `most` scenes."""
    files = shard_files(root)
    report: dict = {"dataset": "tokens", "shards": len(files)}
    for name, evaluate in (("forecaster", forecasts), ("causes", causes)):
        path = models / f"{name}.onnx"
        report[name] = evaluate(files, path, most) if path.exists() else f"not scored: {path} is not there"
    return report


def forecasts(files: list[Path], model: Path, most: int) -> dict:
    """Each item of the standard forecast that was due, against what came about in the scene itself."""
    examples = examples_of(files)
    chosen = spread(examples.size, MOMENTS * most)
    run = runner(model)
    told: Told = {}
    for index in counted(chosen, "forecasts"):
        single, pair = run(feed_of(examples, index, TRACK_NAMES), ["single", "pair"])
        world, count = WORLDS[examples.world[index]], int(examples.count[index])
        actual = examples.arrays["actual_single"][index, :count]
        for n, name in enumerate(SINGLE_TYPES):
            note(told, (name, "all", world), single[:, n].sum(-1), actual[:, n], lambda bin_: bin_ < BINS)
        upper = np.triu_indices(count, 1)
        actual = examples.arrays["actual_pair"][index, :count, :count]
        for n, name in enumerate(PAIR_TYPES):
            note(told, (name, "all", world), pair[:, :, n].sum(-1)[upper], actual[:, :, n][upper], lambda bin_: bin_ < BINS)
    return {name: scores(*columns(told[name])) for name in (*SINGLE_TYPES, *PAIR_TYPES, "all", *WORLDS) if name in told}


def causes(files: list[Path], model: Path, most: int) -> dict:
    """Each (event, object) whose necessity is known from running the scene again without the object."""
    scenes = scenes_of(files)
    run = runner(model)
    told: Told = {}
    for index in counted(spread(scenes.events.size, most), "causes"):
        rows = {name: values.numpy()[0] for name, values in scenes.rows(np.array([index])).items()}
        feed = {name: whole(name, rows[name]) for name in CAUSE_NAMES}
        (necessary,) = run(feed, ["necessary"])
        world = WORLDS[scenes.events.world[index]]
        kind = EVENT_TYPES[int(rows["event"])]
        note(told, ("all", world, f"{world} {kind}"), necessary, rows["necessary"], lambda value: value > 0)
    return {name: scores(*columns(pairs)) | f1(*columns(pairs)) for name, pairs in sorted(told.items())}


def runner(model: Path) -> Callable[[Feed, list[str]], list[np.ndarray]]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    wanted = {taken.name for taken in session.get_inputs()}

    def run(feed: Feed, outputs: list[str]) -> list[np.ndarray]:
        return session.run(outputs, {name: values for name, values in feed.items() if name in wanted})

    return run


def feed_of(examples: Examples, index: int, names: tuple[str, ...]) -> Feed:
    """One example without its padding."""
    count = int(examples.count[index])
    return {
        name: whole(name, values[:count] if np.ndim(values) and len(values) == THINGS else values)
        for name in names
        for values in [examples.arrays[name][index]]
    }


def whole(name: str, values: np.ndarray) -> np.ndarray:
    """Types and ranks of docs/fused-model.md: a lone number has shape [1]."""
    return np.atleast_1d(values).astype(np.int64 if name in INTEGERS else np.float32)


def note(told: Told, names: tuple[str, ...], probability: np.ndarray, actual: np.ndarray, true: Callable[[int], bool]) -> None:
    """Adds what was due: `actual` is -1 where it was not."""
    for p, value in zip(probability.ravel().tolist(), actual.ravel().tolist(), strict=True):
        if value >= 0:
            for name in names:
                told.setdefault(name, []).append((p, float(true(value))))


def columns(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    probability, true = np.array(pairs, float).T
    return probability, true


def spread(size: int, most: int) -> np.ndarray:
    """At most `most` numbers below `size`, evenly spread, so that every part of the data is seen."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).astype(int))


def counted(values: np.ndarray, name: str) -> Iterator[int]:
    with Progress(len(values)) as bar:
        for value in values.tolist():
            yield value
            bar.step(name)
