"""Runs a compiled world and collects the arrays of one scene for the shards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.worlds.tracks import events as ev
from training.worlds.tracks import futures as fu
from training.worlds.tracks import noise, table, table_scene
from training.worlds.tracks import physics as ph

STEPS = 100
OBJECTS = 8
ALL = 182  # samples of a scene: the last moment, the longest horizon and the samples that confirm its last events
CAUSE_END = STEPS + 11
CAUSED = (ev.EXIT, ev.START, ev.STOP, ev.TURN, ev.MEET, ev.COLLIDE)


@dataclass
class SimulatedScene:
    """One scene with n objects.

    boxes, seen [STEPS, n]: true tracks. out_*: observed tracks, padded to OBJECTS. contacts: rows i, j, s, change of velocity,
    or
    None where the box rule detects them. level: tracking quality. All other arrays are as in the shards, for n objects.
    """

    count: int
    aspect: float
    label: np.ndarray
    color: np.ndarray
    boxes: np.ndarray
    seen: np.ndarray
    pos: np.ndarray
    inside: np.ndarray
    out_boxes: np.ndarray
    out_seen: np.ndarray
    out_kind: np.ndarray
    contacts: np.ndarray | None
    events: np.ndarray
    necessary: np.ndarray
    due_single: list[np.ndarray]
    due_pair: list[np.ndarray]
    single: list[np.ndarray]
    pair: list[np.ndarray]
    actual_single: list[np.ndarray]
    actual_pair: list[np.ndarray]
    level: int

    def swap_moments(self) -> None:
        """Exchange the first and the second moment."""
        for rows in (self.due_single, self.due_pair, self.single, self.pair, self.actual_single, self.actual_pair):
            rows.reverse()


def observe(
    boxes: np.ndarray, seen: np.ndarray, kind: np.ndarray, aspect: float, parameters: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Padded observed tracks, their kinds, the true object shown by each sample, and the tracking level, by the noise model."""
    n = len(kind)
    wide, wide_seen = np.zeros((STEPS, OBJECTS, 4)), np.zeros((STEPS, OBJECTS), np.bool_)
    wide[:, :n], wide_seen[:, :n] = boxes[:STEPS], seen[:STEPS]
    kinds = np.full(OBJECTS, -1, np.int64)
    kinds[:n] = kind
    out, out_seen, out_kind = np.zeros_like(wide), np.zeros_like(wide_seen), kinds.copy()
    source = np.zeros((STEPS, OBJECTS), np.int64)
    spread = float(np.exp(np.random.normal(0.0, 0.3)))
    level = int(np.random.randint(len(parameters)))
    noise.observe(wide, wide_seen, kinds, aspect, parameters[level], spread, out, out_seen, out_kind, source)
    return out, out_seen, out_kind, source, level


def dueness(
    out: np.ndarray,
    out_seen: np.ndarray,
    out_kind: np.ndarray,
    source: np.ndarray,
    true_inside: np.ndarray,
    aspect: float,
    moments: np.ndarray,
    n: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return which items are due at each moment by the observed tracks, for true objects shown in their own slot."""
    tracks = ev.Tracks(STEPS, OBJECTS).arrays()
    ev.prepare(out, out_seen, (out_kind == 0) | (out_kind == 2), 0, STEPS, tracks)
    singles, pairs = [], []
    for m in moments:
        single, pair = np.zeros((OBJECTS, 5), np.bool_), np.zeros((OBJECTS, OBJECTS, 2), np.bool_)
        fu.due(tracks, m, aspect, single, pair)
        own = np.array([true_inside[m, i] and source[m, i] in (i, -1) for i in range(n)], np.bool_)
        singles.append(single[:n] & own[:, None])
        pairs.append(pair[:n, :n] & (own[:, None] & own[None])[..., None])
    return singles, pairs


def actual(events: np.ndarray, moments: np.ndarray, n: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the bin in which each item first comes true after each moment: single [n, 5] and pair [n, n, 2] each."""
    singles, pairs = [], []
    for m in moments:
        single, pair = np.zeros((n, 5), np.int8), np.zeros((n, n, 2), np.int8)
        fu.first_bins(events, len(events), m, single, pair)
        singles.append(single)
        pairs.append(pair)
    return singles, pairs


def make_table(seed: int, moments: np.ndarray, runs: int, long_runs: int, parameters: dict[str, np.ndarray]) -> SimulatedScene:
    """Simulate a table-top scene; scenes without a body are drawn again."""
    table_scene.seed(seed)
    np.random.seed(seed % 2**32)
    n = 0
    while n == 0:
        par, shapes = np.zeros((OBJECTS, ph.PARAMETERS)), np.zeros((OBJECTS, ph.MAX_SIDES, 2))
        forms, camera = np.zeros((OBJECTS, table.FORMS)), np.zeros(14)
        habits = np.zeros(table.HABITS)
        n = table.draw(par, shapes, forms, camera, habits)
    par, shapes, forms, aspect = par[:n].copy(), shapes[:n].copy(), forms[:n].copy(), float(camera[13])
    poses, contacts = np.zeros((ALL, n, 4)), np.zeros((table_scene.MAX_CONTACTS, 4))
    states, touched, reported = np.zeros((2, n, ph.STATES)), np.zeros((2, n, n)), np.zeros((2, n, n))
    hits, influenced = table_scene.simulate(par, shapes, moments, ALL, -1, poses, contacts, states, touched, reported)
    boxes, seen, upright = np.zeros((ALL, n, 4)), np.zeros((ALL, n), np.bool_), np.zeros(n, np.bool_)
    table.picture(forms, camera, poses, 0, ALL, -1, boxes, seen)
    tracks = ev.Tracks(ALL, n).arrays()
    ev.prepare(boxes, seen, upright, 0, ALL, tracks)
    events = np.zeros((ev.MAX_EVENTS, 4))
    filled = ev.find_events(tracks, CAUSE_END, aspect, False, True, events)
    for i in range(n):
        filled = ev.loiter_events(tracks, i, ALL, events, filled)
    filled = table_scene.add_contacts(contacts, hits, seen, ALL, events, filled)
    events = events[:filled]
    within = events[events[:, 3] < STEPS]
    asked = np.isin(within[:, 0], CAUSED)
    need, some = np.full((len(within), n), -1, np.int8), np.zeros((int(asked.sum()), n), np.int8)
    table_scene.closure(influenced)
    table_scene.necessary(par, shapes, forms, camera, upright, influenced, within[asked], len(some), CAUSE_END, some)
    need[asked] = some
    kind = np.full(n, 3)
    out, out_seen, out_kind, source, level = observe(boxes, seen, kind, aspect, parameters["tabletop"])
    due, due2 = dueness(out, out_seen, out_kind, source, tracks[1], aspect, moments, n)
    single, pair = [np.zeros((n, 5, 6)) for _ in moments], [np.zeros((n, n, 2, 6)) for _ in moments]
    for r, m in enumerate(moments):
        if due[r].any():
            table_scene.futures(par, shapes, forms, camera, upright, habits, m, states[r], touched[r], reported[r], boxes, seen,
                                due[r], due2[r], runs, long_runs, single[r], pair[r])  # fmt: skip
    actual_single, actual_pair = actual(events, moments, n)
    return SimulatedScene(
        count=n, aspect=aspect, label=forms[:, table.LABEL].astype(np.int8), color=forms[:, table.COLOUR].astype(np.int8),
        boxes=boxes[:STEPS], seen=seen[:STEPS], pos=tracks[3], inside=tracks[1],
        out_boxes=out, out_seen=out_seen, out_kind=out_kind,
        contacts=contacts[:hits], events=within, necessary=need, due_single=due, due_pair=due2, single=single, pair=pair,
        actual_single=actual_single, actual_pair=actual_pair, level=level,
    )  # fmt: skip


def make_street(seed: int, moments: np.ndarray, runs: int, long_runs: int, parameters: dict[str, np.ndarray]) -> SimulatedScene:
    """Simulate a street scene."""
    from training.worlds.tracks.street_scene import make

    return make(seed, moments, runs, long_runs, parameters)
