"""Scenes simulated or rendered elsewhere in the format of the shards; each future is the single one that happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.worlds.tracks import compose, noise
from training.worlds.tracks import events as ev
from training.worlds.tracks import futures as fu
from training.worlds.tracks.scene import assemble

STEPS = compose.STEPS
OBJECTS = compose.OBJECTS


@dataclass
class Recorded:
    """A recorded scene.

    boxes [K, n, 4] in frame heights and seen [K, n] at 10 Hz, K ≥ 100; contacts: rows i, j, s; observed: boxes, seen and kinds
    of the
    tracks in slots [100, 8], where slot n shows object n, or None to apply the noise model.
    """

    world: int
    aspect: float
    kind: np.ndarray
    label: np.ndarray
    color: np.ndarray
    boxes: np.ndarray
    seen: np.ndarray
    contacts: np.ndarray | None
    observed: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


def true_events(recorded: Recorded) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Return the quantities derived from the true tracks, and their events."""
    steps, n = recorded.seen.shape
    tracks, events = ev.Tracks(steps, n).arrays(), np.zeros((ev.MAX_EVENTS, 4))
    upright = (recorded.kind == 0) | (recorded.kind == 2)
    ev.prepare(recorded.boxes, recorded.seen, upright, 0, steps, tracks)
    filled = ev.find_events(tracks, steps, recorded.aspect, recorded.contacts is None, True, events)
    for i in range(n):
        filled = ev.loiter_events(tracks, i, steps, events, filled)
    if recorded.contacts is not None:
        from training.worlds.tracks.table_scene import add_contacts

        rows = np.c_[recorded.contacts, np.ones(len(recorded.contacts))]
        filled = add_contacts(rows, len(rows), recorded.seen, steps, events, filled)
    return tracks, events[:filled]


def to_scene(recorded: Recorded, seed: int, necessary: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return a scene of a shard. necessary [E, n] for the events of `true_events` before 10 s, None if unknown."""
    steps, n = recorded.seen.shape
    tracks, events = true_events(recorded)
    latest = min(70, steps - 1 - fu.HORIZON - fu.AFTER)
    rng = np.random.default_rng([seed, 78])
    moments = np.array([int(rng.integers(2, latest // 10 + 1)) * 10, int(rng.integers(20, latest + 1))])
    np.random.seed(seed % 2**32)
    if recorded.observed is None:
        parameters = noise.load_noise("tabletop" if recorded.world == 0 else "street")
        true_tracks = recorded.boxes, recorded.seen, recorded.kind
        out, out_seen, out_kind, source, level = compose.observe(*true_tracks, recorded.aspect, parameters)
    else:
        out, out_seen, out_kind = recorded.observed
        source, level = np.where(out_seen, np.arange(OBJECTS), -1), 0
    due, due2 = compose.dueness(out, out_seen, out_kind, source, tracks[1], recorded.aspect, moments, n)
    singles, pairs = compose.actual(events, moments, n)
    for r, m in enumerate(moments):
        late = m + fu.LOITER_HORIZON > steps - 1
        due[r][:, 4] &= (singles[r][:, 4] < fu.MISS) | (not late)
    within = events[events[:, 3] < STEPS]
    if necessary is None:
        necessary = np.full((len(within), n), -1, np.int8)
    contacts = None if recorded.contacts is None else np.c_[recorded.contacts, np.ones(len(recorded.contacts))]
    made = compose.SimulatedScene(
        count=n, aspect=recorded.aspect, label=recorded.label, color=recorded.color, boxes=recorded.boxes[:STEPS],
        seen=recorded.seen[:STEPS], pos=tracks[3], inside=tracks[1], out_boxes=out, out_seen=out_seen, out_kind=out_kind,
        contacts=contacts, events=within, necessary=necessary, due_single=due, due_pair=due2,
        single=[one_hot(s) for s in singles], pair=[one_hot(p) for p in pairs], actual_single=singles, actual_pair=pairs,
        level=level,
    )  # fmt: skip
    return assemble(made, moments, recorded.world, rng)


def one_hot(bins: np.ndarray) -> np.ndarray:
    """Probabilities [..., BINS] of actual outcomes [...]; all 0 for MISS."""
    return (bins[..., None] == np.arange(fu.BINS)).astype(np.float64)
