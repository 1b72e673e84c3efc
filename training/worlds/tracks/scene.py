"""Assembles a scene for a shard: true tracks, observed tracks, events, causes and futures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from training.worlds.tracks import events as ev
from training.worlds.tracks import noise
from training.worlds.tracks.compose import CAUSED, SimulatedScene, make_street, make_table

STEPS = 100
OBJECTS = 8
PATH = 30  # samples of the true future

CONTACTS = noise.load_levels("tabletop")
"""By tracking level: rates of detected true contacts and of false contacts, their time error and their confidences."""
NOISE = {world: noise.load_noise(world) for world in ("tabletop", "street")}


def make_scene(seed: int, world: int, runs: int, long_runs: int) -> dict[str, np.ndarray]:
    """Return the arrays of one scene as in a shard, without the scene axis; events have a first axis of their own."""
    rng = np.random.default_rng([seed, 77])
    whole = int(rng.integers(2, 8)) * 10
    moments = np.sort(np.array([whole, int(rng.integers(20, 71))]))
    scene = (make_table if world == 0 else make_street)(seed, moments, runs, long_runs, NOISE)
    if moments[0] != whole:
        scene.swap_moments()
        moments = moments[::-1]
    return assemble(scene, moments, world, rng)


def assemble(scene: SimulatedScene, moments: np.ndarray, world: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the arrays of a simulated or recorded scene."""
    out = _truth(scene)
    out |= _observed(scene, rng)
    out |= _forecasts(scene, moments)
    out |= _events(scene)
    out["moment"] = (moments / 10).astype(np.float32)
    out["world"] = np.array(world, np.int8)
    return out


def _padded(values: np.ndarray, shape: tuple[int, ...], fill: float, kind: type) -> np.ndarray:
    out: np.ndarray = np.full(shape, fill, kind)
    out[tuple(slice(0, min(a, b)) for a, b in zip(values.shape, shape, strict=True))] = values[tuple(slice(0, b) for b in shape)]
    return out


def _truth(scene: SimulatedScene) -> dict[str, np.ndarray]:
    return dict(
        true_boxes=_padded(np.where(scene.seen[..., None], scene.boxes, 0), (STEPS, OBJECTS, 4), 0, np.float16),
        true_seen=_padded(scene.seen, (STEPS, OBJECTS), False, np.bool_),
        label=_padded(scene.label, (OBJECTS,), -1, np.int8),
        color=_padded(scene.color, (OBJECTS,), 0, np.int8),
        aspect=np.array(scene.aspect, np.float32),
    )


def _observed(scene: SimulatedScene, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Observed tracks, and the events that the object memory would report for them."""
    tracks = ev.Tracks(STEPS, OBJECTS).arrays()
    upright = (scene.out_kind == 0) | (scene.out_kind == 2)
    ev.prepare(scene.out_boxes, scene.out_seen, upright, 0, STEPS, tracks)
    found = np.zeros((ev.MAX_EVENTS, 4))
    rule = scene.contacts is None
    count = ev.find_events(tracks, STEPS, scene.aspect, rule, True, found)
    for n in range(OBJECTS):
        count = ev.loiter_events(tracks, n, STEPS, found, count)
    rows = [(*row, rng.beta(6, 2)) for row in found[:count]]
    if scene.contacts is not None:
        rows += _detected_contacts(scene, tracks[0], tracks[1], rng)
    rows.sort(key=lambda row: row[3])
    table = np.array(rows).reshape(-1, 5)
    return dict(
        boxes=np.where(scene.out_seen[..., None], scene.out_boxes, 0).astype(np.float16),
        seen=scene.out_seen, kind=scene.out_kind.astype(np.int8),
        se_type=table[:, 0].astype(np.int8), se_a=table[:, 1].astype(np.int8), se_b=table[:, 2].astype(np.int8),
        se_t=(table[:, 3] / 10).astype(np.float32), se_conf=table[:, 4].astype(np.float32),
    )  # fmt: skip


def _detected_contacts(
    scene: SimulatedScene, box: np.ndarray, inside: np.ndarray, rng: np.random.Generator
) -> list[tuple[Any, ...]]:
    """Detected true contacts with a time error, and false contacts where boxes come close."""
    chance = CONTACTS[scene.level]
    off, sure = chance["contact_off_s"] * 10, (chance["confidence_mean"], chance["confidence_spread"])
    wrong = chance["false_confidence_mean"], chance["false_confidence_spread"]
    rows: list[tuple[Any, ...]] = []
    near: dict[tuple[int, int], list[int]] = {}
    for row in [] if scene.contacts is None else scene.contacts:
        i, j, s, k = int(row[0]), int(row[1]), row[2], int(round(row[2] * 10))
        near.setdefault((i, j), []).append(k)
        if k < STEPS and inside[k, i] and inside[k, j] and rng.random() < chance["contact_detected"]:
            rows.append((ev.COLLIDE, i, j, max(0.0, s * 10 + rng.normal(0, off)), confidence(rng, *sure)))
    starts = np.zeros((ev.MAX_EVENTS, 3), np.int64)
    for i, j, k in starts[: touches(box, inside, starts)].tolist():
        true = any(abs(k - other) <= 5 for other in near.get((i, j), ()))
        if not true and rng.random() < chance["contact_false"]:
            rows.append((ev.COLLIDE, i, j, float(k), confidence(rng, *wrong)))
    return rows


def confidence(rng: np.random.Generator, mean: float, spread: float) -> float:
    """Draw the confidence of a reported contact."""
    return float(np.clip(rng.normal(mean, spread), 0.3, 0.98))


@njit(cache=True)
def touches(box, inside, out):
    """Write (i, j, first sample) of each period in which two boxes are close; return the number of rows."""
    filled = 0
    for i in range(box.shape[1]):
        for j in range(i + 1, box.shape[1]):
            close = False
            for k in range(box.shape[0]):
                before, close = close, inside[k, i] and inside[k, j]
                close = close and ev.box_gap(box[k, i], box[k, j]) < ev.TOUCH * ev.mean_size(box[k, i], box[k, j])
                if close and not before and filled < out.shape[0]:
                    out[filled, 0], out[filled, 1], out[filled, 2] = i, j, k
                    filled += 1
    return filled


def _forecasts(scene: SimulatedScene, moments: np.ndarray) -> dict[str, np.ndarray]:
    """Soft and actual outcomes of the items due by the observed tracks, and the true future paths."""
    single, pair = np.full((2, OBJECTS, 5, 6), np.nan, np.float16), np.full((2, OBJECTS, OBJECTS, 2, 6), np.nan, np.float16)
    actual, actual2 = np.full((2, OBJECTS, 5), -1, np.int8), np.full((2, OBJECTS, OBJECTS, 2), -1, np.int8)
    future = np.full((2, OBJECTS, PATH, 2), np.nan, np.float16)
    n = scene.count
    for r, m in enumerate(moments):
        due, due2 = scene.due_single[r], scene.due_pair[r]
        single[r, :n][due] = scene.single[r][due]
        pair[r, :n, :n][due2] = scene.pair[r][due2]
        actual[r, :n][due] = scene.actual_single[r][due]
        actual2[r, :n, :n][due2] = scene.actual_pair[r][due2]
        where = scene.pos[m + 1 : m + 1 + PATH]
        future[r, :n] = np.where(scene.inside[m + 1 : m + 1 + PATH, :, None], where, np.nan).swapaxes(0, 1)
    return dict(single=single, pair=pair, actual_single=actual, actual_pair=actual2, future=future)


def _events(scene: SimulatedScene) -> dict[str, np.ndarray]:
    """True events ordered by time with their necessary objects, -1 for types without causes."""
    rows = scene.events[np.argsort(scene.events[:, 3], kind="stable")] if len(scene.events) else scene.events
    order = np.argsort(scene.events[:, 3], kind="stable")
    need = np.full((len(rows), OBJECTS), -1, np.int8)
    need[:, : scene.count] = np.where(np.isin(rows[:, 0], CAUSED)[:, None], scene.necessary[order], -1)
    return dict(
        ev_type=rows[:, 0].astype(np.int8), ev_a=rows[:, 1].astype(np.int8), ev_b=rows[:, 2].astype(np.int8),
        ev_t=(rows[:, 3] / 10).astype(np.float32), necessary=need,
    )  # fmt: skip
