"""Puts a scene together: what happened, what was seen of it, why, and what might have come next."""

from __future__ import annotations

import numpy as np
from numba import njit

from training.worlds.tracks import events as ev
from training.worlds.tracks import futures as fu
from training.worlds.tracks import noise
from training.worlds.tracks.compose import CAUSED, Made, make_street, make_table

STEPS = 100
OBJECTS = 8
PATH = 30  # samples of the true future

CONTACTS = noise.load_levels("tabletop")
"""By level of tracking: chances that a true contact is told, and one of boxes that only touch; how far off, and how sure."""
NOISE = {world: noise.load_noise(world) for world in ("tabletop", "street")}


def make_scene(seed: int, world: int, runs: int, long_runs: int) -> dict[str, np.ndarray]:
    """The arrays of one scene as they stand in a shard, without the scene axis; events with their own first axis."""
    rng = np.random.default_rng([seed, 77])
    whole = int(rng.integers(2, 8)) * 10
    moments = np.sort(np.array([whole, int(rng.integers(20, 71))]))
    made = (make_table if world == 0 else make_street)(seed, moments, runs, long_runs, NOISE)
    if moments[0] != whole:
        made.swap_moments()
        moments = moments[::-1]
    return assemble(made, moments, world, rng)


def assemble(made: Made, moments: np.ndarray, world: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The arrays of a scene that was made."""
    out = _truth(made)
    out |= _observed(made, rng)
    out |= _forecasts(made, moments)
    out |= _events(made)
    out["moment"] = (moments / 10).astype(np.float32)
    out["world"] = np.int8(world)
    return out


def _padded(values: np.ndarray, shape: tuple[int, ...], fill: float, kind: type) -> np.ndarray:
    out = np.full(shape, fill, kind)
    out[tuple(slice(0, min(a, b)) for a, b in zip(values.shape, shape))] = values[tuple(slice(0, b) for b in shape)]
    return out


def _truth(made: Made) -> dict[str, np.ndarray]:
    return dict(
        true_boxes=_padded(np.where(made.seen[..., None], made.boxes, 0), (STEPS, OBJECTS, 4), 0, np.float16),
        true_seen=_padded(made.seen, (STEPS, OBJECTS), False, np.bool_),
        label=_padded(made.label, (OBJECTS,), -1, np.int8),
        color=_padded(made.color, (OBJECTS,), 0, np.int8),
        aspect=np.float32(made.aspect),
    )


def _observed(made: Made, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What our tracker gives, and the events that our memory would tell of it."""
    tracks = ev.Tracks(STEPS, OBJECTS).arrays()
    upright = (made.out_kind == 0) | (made.out_kind == 2)
    ev.prepare(made.out_boxes, made.out_seen, upright, 0, STEPS, tracks)
    found = np.zeros((ev.MOST_EVENTS, 4))
    rule = made.contacts is None
    count = ev.find_events(tracks, STEPS, made.aspect, rule, True, found)
    for n in range(OBJECTS):
        count = ev.loiters(tracks, n, STEPS, found, count)
    rows = [(*row, rng.beta(6, 2)) for row in found[:count]]
    if made.contacts is not None:
        rows += _told_contacts(made, tracks[0], tracks[1], rng)
    rows.sort(key=lambda row: row[3])
    table = np.array(rows).reshape(-1, 5)
    return dict(
        boxes=np.where(made.out_seen[..., None], made.out_boxes, 0).astype(np.float16),
        seen=made.out_seen, kind=made.out_kind.astype(np.int8),
        se_type=table[:, 0].astype(np.int8), se_a=table[:, 1].astype(np.int8), se_b=table[:, 2].astype(np.int8),
        se_t=(table[:, 3] / 10).astype(np.float32), se_conf=table[:, 4].astype(np.float32),
    )  # fmt: skip


def _told_contacts(made: Made, box: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> list[tuple]:
    """True contacts, most of them and a little off in time, and false ones of boxes that come close."""
    chance = CONTACTS[made.level]
    off, sure = chance["contact_off_s"] * 10, (chance["sure_mean"], chance["sure_spread"])
    wrong = chance["wrong_mean"], chance["wrong_spread"]
    rows, near = [], {}
    for i, j, s, _ in made.contacts:
        i, j, k = int(i), int(j), int(round(s * 10))
        near.setdefault((i, j), []).append(k)
        if k < STEPS and inside[k, i] and inside[k, j] and rng.random() < chance["contact_told"]:
            rows.append((ev.COLLIDE, i, j, max(0.0, s * 10 + rng.normal(0, off)), confidence(rng, *sure)))
    starts = np.zeros((ev.MOST_EVENTS, 3), np.int64)
    for i, j, k in starts[: touches(box, inside, starts)].tolist():
        true = any(abs(k - other) <= 5 for other in near.get((i, j), ()))
        if not true and rng.random() < chance["contact_false"]:
            rows.append((ev.COLLIDE, i, j, float(k), confidence(rng, *wrong)))
    return rows


def confidence(rng: np.random.Generator, mean: float, spread: float) -> float:
    """Of a contact told."""
    return float(np.clip(rng.normal(mean, spread), 0.3, 0.98))


@njit(cache=True)
def touches(box, inside, out):
    """First samples (i, j, sample) of the stretches in which two boxes are close to each other; returns how many."""
    filled = 0
    for i in range(box.shape[1]):
        for j in range(i + 1, box.shape[1]):
            close = False
            for k in range(box.shape[0]):
                was, close = close, inside[k, i] and inside[k, j]
                close = close and ev.box_gap(box[k, i], box[k, j]) < ev.TOUCH * ev.mean_size(box[k, i], box[k, j])
                if close and not was and filled < out.shape[0]:
                    out[filled, 0], out[filled, 1], out[filled, 2] = i, j, k
                    filled += 1
    return filled


def _forecasts(made: Made, moments: np.ndarray) -> dict[str, np.ndarray]:
    """Soft and actual outcomes of the items due by what was observed, and where things went."""
    single, pair = np.full((2, OBJECTS, 5, 6), np.nan, np.float16), np.full((2, OBJECTS, OBJECTS, 2, 6), np.nan, np.float16)
    actual, actual2 = np.full((2, OBJECTS, 5), -1, np.int8), np.full((2, OBJECTS, OBJECTS, 2), -1, np.int8)
    future = np.full((2, OBJECTS, PATH, 2), np.nan, np.float16)
    n = made.count
    for r, m in enumerate(moments):
        due, due2 = made.due_single[r], made.due_pair[r]
        single[r, :n][due] = made.single[r][due]
        pair[r, :n, :n][due2] = made.pair[r][due2]
        actual[r, :n][due] = made.actual_single[r][due]
        actual2[r, :n, :n][due2] = made.actual_pair[r][due2]
        where = made.pos[m + 1 : m + 1 + PATH]
        future[r, :n] = np.where(made.inside[m + 1 : m + 1 + PATH, :, None], where, np.nan).swapaxes(0, 1)
    return dict(single=single, pair=pair, actual_single=actual, actual_pair=actual2, future=future)


def _events(made: Made) -> dict[str, np.ndarray]:
    """True events by time with their necessary objects, -1 for those of a type without a question."""
    rows = made.events[np.argsort(made.events[:, 3], kind="stable")] if len(made.events) else made.events
    order = np.argsort(made.events[:, 3], kind="stable")
    need = np.full((len(rows), OBJECTS), -1, np.int8)
    need[:, : made.count] = np.where(np.isin(rows[:, 0], CAUSED)[:, None], made.necessary[order], -1)
    return dict(
        ev_type=rows[:, 0].astype(np.int8), ev_a=rows[:, 1].astype(np.int8), ev_b=rows[:, 2].astype(np.int8),
        ev_t=(rows[:, 3] / 10).astype(np.float32), necessary=need,
    )  # fmt: skip
