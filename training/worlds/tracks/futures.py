"""Which items of the standard forecast are due at a moment and when they first come true, compiled."""

from __future__ import annotations

from numba import njit

from training.worlds.tracks import events as ev

SINGLE = 5  # exit, stop, start_moving, turn, loiter
PAIR = 2  # meet, collide
BINS = 6
HORIZON, LOITER_HORIZON = 30, 100  # samples
AFTER = 11  # samples after the horizon until its last events are certain
MISS = 6


@njit(cache=True)
def due(tracks, m, aspect, single, pair):
    """Mark which items are due at sample m by the tracks: single [N, 5], pair [N, N, 2], both bool."""
    box, inside, start, speed = tracks[0], tracks[1], tracks[2], tracks[6]
    count = box.shape[1]
    single[:] = False
    pair[:] = False
    for n in range(count):
        if not inside[m, n]:
            continue
        single[n, 0] = m - start[m, n] >= 10
        single[n, 1] = single[n, 3] = speed[m, n] > ev.FAST
        slow = m - 10 >= start[m, n]
        for k in range(max(m - 10, 0), m + 1):
            slow = slow and speed[k, n] < ev.SLOW
        single[n, 2] = slow
        single[n, 4] = ev.lingers(tracks, n, m, 30)
        for b in range(n + 1, count):
            if not inside[m, b]:
                continue
            g = ev.gap(tracks, n, b, m)
            pair[n, b, 0] = pair[b, n, 0] = g >= ev.FAR and g <= 8
            apart = ev.box_gap(box[m, n], box[m, b]) > ev.TOUCH * ev.mean_size(box[m, n], box[m, b])
            pair[n, b, 1] = pair[b, n, 1] = apart and _central(box[m, n], aspect) and _central(box[m, b], aspect)


@njit(cache=True)
def _central(b, aspect):
    x, y = b[0] + b[2] / 2, b[1] + b[3] / 2
    return x >= 0 and x <= aspect and y >= 0 and y <= 1


@njit(cache=True)
def follow_up(tracks, m, last, aspect, rule, single, pair, events):
    """Find the events after m of the due items; return their number. Loiter is evaluated only where `last` allows it."""
    count = tracks[0].shape[1]
    filled = 0
    for n in range(count):
        if single[n, 0]:
            filled = ev.visibility_events(tracks, n, last, aspect, events, filled)
        if single[n, 1] or single[n, 2]:
            filled = ev.motion_events(tracks, n, last, events, filled)
        if single[n, 3]:
            filled = ev.turn_events(tracks, n, max(0, m - 30), last, events, filled)
        if single[n, 4] and last > m + LOITER_HORIZON:
            filled = ev.loiter_events(tracks, n, last, events, filled)
        for b in range(n + 1, count):
            if pair[n, b, 0] or (rule and pair[n, b, 1]):
                filled = ev.pair_events(tracks, n, b, last, rule and pair[n, b, 1], False, events, filled)
    return filled


@njit(cache=True)
def first_bins(events, filled, m, single, pair):
    """Set the bin in which each item first comes true after m, MISS if it does not: single [N, 5], pair [N, N, 2], int8."""
    single[:] = MISS
    pair[:] = MISS
    for e in range(filled):
        kind, a, b = int(events[e, 0]), int(events[e, 1]), int(events[e, 2])
        horizon = LOITER_HORIZON if kind == ev.LOITER else HORIZON
        d = events[e, 3] - m
        if d <= 1e-6 or d > horizon + 1e-6:
            continue
        where = min(BINS - 1, int((d - 1e-6) * BINS / horizon))
        item = -1
        if kind == ev.EXIT:
            item = 0
        elif kind == ev.STOP:
            item = 1
        elif kind == ev.START:
            item = 2
        elif kind == ev.TURN:
            item = 3
        elif kind == ev.LOITER:
            item = 4
        if item >= 0:
            single[a, item] = min(single[a, item], where)
        elif kind == ev.MEET or kind == ev.COLLIDE:
            p = 0 if kind == ev.MEET else 1
            pair[a, b, p] = pair[b, a, p] = min(pair[a, b, p], where)


@njit(cache=True)
def add_runs(single_bin, pair_bin, long, count_single, count_pair):
    """Add one run to the counts; loiter is counted only in runs that are long enough."""
    n = single_bin.shape[0]
    for a in range(n):
        for item in range(SINGLE):
            if single_bin[a, item] < BINS and (item < 4 or long):
                count_single[a, item, single_bin[a, item]] += 1
        for b in range(n):
            for p in range(PAIR):
                if pair_bin[a, b, p] < BINS:
                    count_pair[a, b, p, pair_bin[a, b, p]] += 1
