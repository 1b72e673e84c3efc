"""One street scene with all training targets: tracks, causes and soft futures."""

from __future__ import annotations

import numpy as np
from numba import njit

from training.worlds.tracks import events as ev
from training.worlds.tracks import futures as fu
from training.worlds.tracks import street
from training.worlds.tracks.compose import ALL, CAUSE_END, CAUSED, OBJECTS, STEPS, SimulatedScene, actual, dueness, observe
from training.worlds.tracks.table_scene import closure, seed
from training.worlds.tracks.view import outline, visible

SOLID = 0.85  # share of its box that an agent covers, along each side


@njit(cache=True)
def picture(par, camera, poses, first, last, without, boxes, seen):
    """Compute the visible boxes of samples first..last-1."""
    n = par.shape[0]
    whole, depth = np.zeros((n, 4)), np.zeros(n)
    for k in range(first, last):
        for i in range(n):
            depth[i] = -1.0
            if poses[k, i, 3] > 0 and i != without:
                depth[i] = outline(
                    camera,
                    2,
                    poses[k, i, 0],
                    poses[k, i, 1],
                    poses[k, i, 2],
                    par[i, street.HALF_X],
                    par[i, street.HALF_Y],
                    par[i, street.TALL],
                    whole[i],
                )
        visible(whole, depth, camera[13], SOLID, boxes[k], seen[k])


@njit(cache=True)
def draw_noise(steps, n):
    """Draw the noise [steps, n, street.NOISES]: two normal and four uniform values."""
    noise = np.empty((steps, n, street.NOISES))
    for k in range(steps):
        for i in range(n):
            noise[k, i, 0], noise[k, i, 1] = np.random.normal(), np.random.normal()
            for c in range(2, street.NOISES):
                noise[k, i, c] = np.random.random()
    return noise


@njit(cache=True)
def simulate(par, camera, top, noise, moments, last, without, poses, states):
    """Simulate the whole scene, with copies of the state at the moments (ascending); return who was influenced by whom."""
    n = par.shape[0]
    state, influenced = np.zeros((n, street.STATES)), np.zeros((n, n), np.bool_)
    for i in range(n):
        if par[i, street.LAUNCH] <= 0 and i != without:
            street.appear(par, state, i)
        poses[0, i, 0], poses[0, i, 1] = state[i, street.X], state[i, street.Y]
        poses[0, i, 2], poses[0, i, 3] = state[i, street.HEADING], state[i, street.PRESENT]
    at = 0
    for m in range(moments.shape[0] + 1):
        to = moments[m] if m < moments.shape[0] else last - 1
        street.run(par, state, camera, top, noise, at, to, without, poses, influenced)
        at = to
        if m < moments.shape[0]:
            states[m] = state
    return influenced


@njit(cache=True)
def necessary(par, camera, top, noise, upright, influenced, events, last, out):
    """Set out [E, N] as in table_scene: 1 if the event does not happen within 0.6 s without the object."""
    n = par.shape[0]
    poses, boxes, seen = np.zeros((last, n, 4)), np.zeros((last, n, 4)), np.zeros((last, n), np.bool_)
    other, none = np.zeros((ev.MAX_EVENTS, 4)), np.zeros(0, np.int64)
    tracks = (np.zeros((last, n, 4)), np.zeros((last, n), np.bool_), np.full((last, n), -1), np.zeros((last, n, 2)),
              np.zeros((last, n)), np.zeros((last, n, 2)), np.zeros((last, n)), np.zeros((last, n)))  # fmt: skip
    for x in range(n):
        reached = False
        for e in range(events.shape[0]):
            a, b = int(events[e, 1]), int(events[e, 2])
            out[e, x] = -1 if x == a or x == b else 0
            reached = reached or (out[e, x] == 0 and (influenced[a, x] or (b >= 0 and influenced[b, x])))
        if not reached:
            continue
        simulate(par, camera, top, noise, none, last, x, poses, np.zeros((0, n, street.STATES)))
        picture(par, camera, poses, 0, last, x, boxes, seen)
        ev.prepare(boxes, seen, upright, 0, last, tracks)
        found = ev.find_events(tracks, last, camera[13], True, False, other)
        for e in range(events.shape[0]):
            kind, a, b = int(events[e, 0]), int(events[e, 1]), int(events[e, 2])
            if out[e, x] < 0 or not (influenced[a, x] or (b >= 0 and influenced[b, x])):
                continue
            still = False
            for c in range(found):
                same = other[c, 0] == kind and other[c, 1] == a and other[c, 2] == b
                still = still or (same and abs(other[c, 3] - events[e, 3]) <= 6)
            out[e, x] = 0 if still else 1


@njit(cache=True)
def futures(par, camera, top, upright, m, state0, boxes0, seen0, due_single, due_pair, runs, long_runs, single, pair):
    """Estimate the probabilities of the bins by simulating on from sample m, with unknown quantities redrawn."""
    n = par.shape[0]
    short, long = m + fu.HORIZON + fu.AFTER, m + fu.LOITER_HORIZON + fu.AFTER
    boxes, seen = np.zeros((long, n, 4)), np.zeros((long, n), np.bool_)
    boxes[: m + 1], seen[: m + 1] = boxes0[: m + 1], seen0[: m + 1]
    tracks = (np.zeros((long, n, 4)), np.zeros((long, n), np.bool_), np.full((long, n), -1), np.zeros((long, n, 2)),
              np.zeros((long, n)), np.zeros((long, n, 2)), np.zeros((long, n)), np.zeros((long, n)))  # fmt: skip
    ev.prepare(boxes, seen, upright, 0, m + 1, tracks)
    poses, events = np.zeros((long, n, 4)), np.zeros((ev.MAX_EVENTS, 4))
    bins, bins2 = np.zeros((n, 5), np.int8), np.zeros((n, n, 2), np.int8)
    influenced = np.zeros((n, n), np.bool_)
    any_loiter = False
    for a in range(n):
        any_loiter = any_loiter or due_single[a, 4]
    longs = 0
    for r in range(runs):
        last = long if any_loiter and r < long_runs else short
        p, state = par.copy(), state0.copy()
        street.reroll(p, state, camera, top, m * 0.1)
        noise = draw_noise(last, n)
        street.run(p, state, camera, top, noise, m, last - 1, -1, poses, influenced)
        picture(p, camera, poses, m + 1, last, -1, boxes, seen)
        ev.prepare(boxes, seen, upright, max(0, m - 10), last, tracks)
        filled = fu.follow_up(tracks, m, last, camera[13], True, due_single, due_pair, events)
        fu.first_bins(events, filled, m, bins, bins2)
        longs += last == long
        fu.add_runs(bins, bins2, last == long, single, pair)
    for a in range(n):
        single[a, :4] /= runs
        single[a, 4] /= max(longs, 1)
    pair /= runs


def make(value: int, moments: np.ndarray, runs: int, long_runs: int, parameters: dict[str, np.ndarray]) -> SimulatedScene:
    """Simulate a street scene."""
    seed(value)
    np.random.seed(value % 2**32)
    camera, par = np.zeros(14), np.zeros((OBJECTS, street.PARAMETERS))
    top = street.draw_camera(camera)
    n, aspect = street.draw(par, camera, top), float(camera[13])
    par = par[:n].copy()
    noise = draw_noise(ALL, n)
    poses, states = np.zeros((ALL, n, 4)), np.zeros((2, n, street.STATES))
    influenced = simulate(par, camera, top, noise, moments, ALL, -1, poses, states)
    kind = par[:, street.KIND].astype(np.int64)
    upright = (kind == street.PERSON) | (kind == street.ANIMAL)
    boxes, seen = np.zeros((ALL, n, 4)), np.zeros((ALL, n), np.bool_)
    picture(par, camera, poses, 0, ALL, -1, boxes, seen)
    tracks = ev.Tracks(ALL, n).arrays()
    ev.prepare(boxes, seen, upright, 0, ALL, tracks)
    events = np.zeros((ev.MAX_EVENTS, 4))
    filled = ev.find_events(tracks, CAUSE_END, aspect, True, True, events)
    for i in range(n):
        filled = ev.loiter_events(tracks, i, ALL, events, filled)
    events = events[:filled]
    within = events[events[:, 3] < STEPS]
    asked = np.isin(within[:, 0], CAUSED)
    need = np.full((len(within), n), -1, np.int8)
    some = np.zeros((int(asked.sum()), n), np.int8)
    closure(influenced)
    necessary(par, camera, top, noise, upright, influenced, within[asked], CAUSE_END, some)
    need[asked] = some
    out, out_seen, out_kind, source, level = observe(boxes, seen, kind, aspect, parameters["street"])
    due, due2 = dueness(out, out_seen, out_kind, source, tracks[1], aspect, moments, n)
    single, pair = [np.zeros((n, 5, 6)) for _ in moments], [np.zeros((n, n, 2, 6)) for _ in moments]
    for r, m in enumerate(moments):
        if due[r].any():
            futures(par, camera, top, upright, m, states[r], boxes, seen, due[r], due2[r], runs, long_runs, single[r], pair[r])
    actual_single, actual_pair = actual(events, moments, n)
    return SimulatedScene(
        count=n, aspect=aspect, label=par[:, street.LABEL].astype(np.int8), color=par[:, street.COLOUR].astype(np.int8),
        boxes=boxes[:STEPS], seen=seen[:STEPS], pos=tracks[3], inside=tracks[1],
        out_boxes=out, out_seen=out_seen, out_kind=out_kind,
        contacts=None, events=within, necessary=need, due_single=due, due_pair=due2, single=single, pair=pair,
        actual_single=actual_single, actual_pair=actual_pair, level=level,
    )  # fmt: skip
