"""One table-top scene with all training targets, compiled: tracks, contacts, causes and soft futures."""

from __future__ import annotations

import numpy as np
from numba import njit

from training.worlds.tracks import events as ev
from training.worlds.tracks import futures as fu
from training.worlds.tracks import physics as ph
from training.worlds.tracks import table

MAX_CONTACTS = 120
IN_VIEW = 1  # samples around a contact in which both bodies must be visible


@njit(cache=True)
def seed(value):
    """Seed the generator of compiled code, which is separate from NumPy's."""
    np.random.seed(value)


@njit(cache=True)
def start(n):
    """State, times of touches, reported flags and influences of n bodies before the first step."""
    touched = np.full((n, n), ph.NEVER)
    return np.zeros((n, ph.STATES)), touched, np.zeros((n, n)), np.zeros((n, n), np.bool_)


@njit(cache=True)
def first_pose(par, state, poses, without):
    """Launch the bodies that are there from the start and write the poses of sample 0."""
    for i in range(par.shape[0]):
        if par[i, ph.LAUNCH] <= 0 and i != without:
            ph.launch(par, state, i)
        poses[0, i, 0], poses[0, i, 1], poses[0, i, 2] = state[i, ph.X], state[i, ph.Y], state[i, ph.YAW]
        poses[0, i, 3] = state[i, ph.PRESENT]


@njit(cache=True)
def simulate(par, shapes, moments, last, without, poses, contacts, states, touches, reports):
    """Simulate the whole scene, with copies of the state at the moments (ascending).

    Return the number of contacts and the bodies that touched each other.
    """
    n = par.shape[0]
    state, touched, reported, influenced = start(n)
    first_pose(par, state, poses, without)
    factor = np.ones(n)
    filled, at = 0, 0
    for m in range(moments.shape[0] + 1):
        to = moments[m] if m < moments.shape[0] else last - 1
        filled = ph.run(par, shapes, state, touched, reported, at, to, without, factor, poses, contacts, filled, influenced)
        at = to
        if m < moments.shape[0]:
            states[m], touches[m], reports[m] = state, touched, reported
    return filled, influenced


@njit(cache=True)
def closure(influenced):
    """Replace direct influences [N, N] by their transitive closure."""
    n = influenced.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if influenced[i, k] and influenced[k, j]:
                    influenced[i, j] = True


@njit(cache=True)
def add_contacts(contacts, filled, seen, last, events, count):
    """Append contacts of visible bodies as collide events; return the number of events."""
    for c in range(filled):
        i, j, s = int(contacts[c, 0]), int(contacts[c, 1]), contacts[c, 2] * 10
        k = int(round(s))
        a = b = False
        for g in range(max(0, k - IN_VIEW), min(last, k + IN_VIEW + 1)):
            a, b = a or seen[g, i], b or seen[g, j]
        if a and b and s < last:
            count = ev.add_event(events, count, ev.COLLIDE, i, j, s)
    return count


@njit(cache=True)
def necessary(par, shapes, forms, camera, upright, influenced, events, filled, last, out):
    """Set out [E, N]: 1 if the event does not happen within 0.6 s without the object, 0 if it does, -1 for participants."""
    n = par.shape[0]
    poses = np.zeros((last, n, 4))
    boxes, seen = np.zeros((last, n, 4)), np.zeros((last, n), np.bool_)
    contacts, other = np.zeros((MAX_CONTACTS, 4)), np.zeros((ev.MAX_EVENTS, 4))
    none = np.zeros(0, np.int64)
    tracks = (np.zeros((last, n, 4)), np.zeros((last, n), np.bool_), np.full((last, n), -1), np.zeros((last, n, 2)),
              np.zeros((last, n)), np.zeros((last, n, 2)), np.zeros((last, n)), np.zeros((last, n)))  # fmt: skip
    for x in range(n):
        reached = False
        for e in range(filled):
            a, b = int(events[e, 1]), int(events[e, 2])
            out[e, x] = -1 if x == a or x == b else 0
            reached = reached or (out[e, x] == 0 and (influenced[a, x] or (b >= 0 and influenced[b, x])))
        if not reached:
            continue
        state = np.zeros((0, n, ph.STATES))
        square = np.zeros((0, n, n))
        poses[:] = 0
        hits, _ = simulate(par, shapes, none, last, x, poses, contacts, state, square, square)
        table.picture(forms, camera, poses, 0, last, x, boxes, seen)
        ev.prepare(boxes, seen, upright, 0, last, tracks)
        found = ev.find_events(tracks, last, camera[13], False, False, other)
        for e in range(filled):
            kind, a, b = int(events[e, 0]), int(events[e, 1]), int(events[e, 2])
            if out[e, x] < 0 or not (influenced[a, x] or (b >= 0 and influenced[b, x])):
                continue
            still = False
            if kind == ev.COLLIDE:
                for c in range(hits):
                    same = contacts[c, 0] == min(a, b) and contacts[c, 1] == max(a, b)
                    still = still or (same and abs(contacts[c, 2] * 10 - events[e, 3]) <= 6)
            else:
                for c in range(found):
                    same = other[c, 0] == kind and other[c, 1] == a and other[c, 2] == b
                    still = still or (same and abs(other[c, 3] - events[e, 3]) <= 6)
            out[e, x] = 0 if still else 1


@njit(cache=True)
def futures(par, shapes, forms, camera, upright, habits, m, state0, touched0, reported0, boxes0, seen0, due_single, due_pair,
            runs, long_runs, single, pair):  # fmt: skip
    """Estimate the probabilities of the bins by simulating on from sample m, with unknown quantities redrawn."""
    n = par.shape[0]
    short, long = m + fu.HORIZON + fu.AFTER, m + fu.LOITER_HORIZON + fu.AFTER
    boxes, seen = np.zeros((long, n, 4)), np.zeros((long, n), np.bool_)
    boxes[: m + 1], seen[: m + 1] = boxes0[: m + 1], seen0[: m + 1]
    tracks = (np.zeros((long, n, 4)), np.zeros((long, n), np.bool_), np.full((long, n), -1), np.zeros((long, n, 2)),
              np.zeros((long, n)), np.zeros((long, n, 2)), np.zeros((long, n)), np.zeros((long, n)))  # fmt: skip
    ev.prepare(boxes, seen, upright, 0, m + 1, tracks)
    poses, contacts = np.zeros((long, n, 4)), np.zeros((MAX_CONTACTS, 4))
    events = np.zeros((ev.MAX_EVENTS, 4))
    bins, bins2 = np.zeros((n, 5), np.int8), np.zeros((n, n, 2), np.int8)
    influenced = np.zeros((n, n), np.bool_)
    any_loiter = False
    for a in range(n):
        any_loiter = any_loiter or due_single[a, 4]
    longs = 0
    for r in range(runs):
        last = long if any_loiter and r < long_runs else short
        p, state, touched, reported = par.copy(), state0.copy(), touched0.copy(), reported0.copy()
        table.reroll(p, state, camera, m * 0.1, habits)
        factor = np.exp(np.random.normal(0.0, 0.12, n))
        hits = ph.run(p, shapes, state, touched, reported, m, last - 1, -1, factor, poses, contacts, 0, influenced)
        table.picture(forms, camera, poses, m + 1, last, -1, boxes, seen)
        ev.prepare(boxes, seen, upright, max(0, m - 10), last, tracks)
        filled = fu.follow_up(tracks, m, last, camera[13], False, due_single, due_pair, events)
        filled = add_contacts(contacts, hits, seen, last, events, filled)
        fu.first_bins(events, filled, m, bins, bins2)
        longs += last == long
        fu.add_runs(bins, bins2, last == long, single, pair)
    for a in range(n):
        single[a, :4] /= runs
        single[a, 4] /= max(longs, 1)
    pair /= runs
