"""The event definitions of the specification on tracks at 10 Hz, compiled.

Tracks are boxes [T, N, 4] (x, y, w, h in frame heights) with seen [T, N]. A track unseen for 1 s is split, shorter gaps
are interpolated. Events are rows (type, a, b or -1, sample) of a buffer; types are indices in EVENT_TYPES.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from training.worlds.tracks.derive import (
    APPEAR,
    BAND,
    COLLIDE,
    DISAPPEAR,
    ENTER,
    EVENT_TYPES,
    EXIT,
    FAR,
    FAST,
    HZ,
    LOITER,
    MAX_EVENTS,
    MEET,
    SLOW,
    START,
    STOP,
    TOUCH,
    TURN,
    UNSEEN,
    Tracks,
    add_event,
    angle,
    prepare,
)  # fmt: skip
from training.worlds.tracks.pairs import box_gap, gap, mean_size, pair_events

__all__ = [
    "APPEAR",
    "COLLIDE",
    "DISAPPEAR",
    "ENTER",
    "EVENT_TYPES",
    "EXIT",
    "FAR",
    "FAST",
    "HZ",
    "LOITER",
    "MEET",
    "MAX_EVENTS",
    "SLOW",
    "START",
    "STOP",
    "TOUCH",
    "TURN",
    "Tracks",
    "box_gap",
    "find_events",
    "gap",
    "lingers",
    "loiter_events",
    "mean_size",
    "motion_events",
    "pair_events",
    "prepare",
    "visibility_events",
    "add_event",
    "turn_events",
]


@njit(cache=True)
def in_band(box, aspect):
    """Whether a box touches the border band of the frame."""
    return box[0] <= BAND * aspect or box[1] <= BAND or box[0] + box[2] >= (1 - BAND) * aspect or box[1] + box[3] >= 1 - BAND


@njit(cache=True)
def visibility_events(tracks, n, last, aspect, events, filled):
    """Append enter or appear, and exit or disappear, of each segment of object n; return the number of events."""
    box, inside, start = tracks[0], tracks[1], tracks[2]
    k = 0
    while k < last:
        if not inside[k, n]:
            k += 1
            continue
        a = k
        while k < last and inside[k, n] and start[k, n] == a:
            k += 1
        border = False
        for g in range(a, min(a + 6, k)):
            border = border or in_band(box[g, n], aspect)
        filled = add_event(events, filled, ENTER if border else APPEAR, n, -1, a)
        if last - 1 - (k - 1) >= UNSEEN:
            filled = add_event(events, filled, EXIT if in_band(box[k - 1, n], aspect) else DISAPPEAR, n, -1, k - 1)
    return filled


@njit(cache=True)
def motion_events(tracks, n, last, events, filled):
    """Append start_moving and stop of object n; return the number of events."""
    inside, start, speed = tracks[1], tracks[2], tracks[6]
    can_start = can_stop = False
    segment = -1
    k = 0
    while k < last:
        if not inside[k, n]:
            k += 1
            continue
        if start[k, n] != segment:
            segment = start[k, n]
            can_start = can_stop = False
        v = speed[k, n]
        state = 1 if v < SLOW else 2 if v > FAST else 0
        a = k
        k += 1
        while k < last and inside[k, n] and start[k, n] == segment:
            v = speed[k, n]
            if (1 if v < SLOW else 2 if v > FAST else 0) != state:
                break
            k += 1
        length = k - 1 - a
        if state == 1:
            if length >= 8:
                if can_stop:
                    filled = add_event(events, filled, STOP, n, -1, a)
                can_stop = False
            if length >= 10:
                can_start = True
        elif state == 2:
            if length >= 4:
                if can_start:
                    filled = add_event(events, filled, START, n, -1, a)
                can_start = False
            if length >= 6:
                can_stop = True
    return filled


@njit(cache=True)
def turn_events(tracks, n, first, last, events, filled):
    """Append turns of object n from sample `first` on; return the number of events.

    A turn is not repeated within 1.5 s, so `first` must be 3 s before the first sample of interest.
    """
    inside, start, speed, heading = tracks[1], tracks[2], tracks[6], tracks[7]
    last_event = -1000.0
    j = first
    while j < last:
        best, since = _change(inside, start, speed, heading, n, j)
        if best <= np.pi / 3:
            j += 1
            continue
        top, top_since, top_j = best, since, j
        j += 1
        while j < last:
            best, since = _change(inside, start, speed, heading, n, j)
            if best <= np.pi / 3:
                break
            if best > top:
                top, top_since, top_j = best, since, j
            j += 1
        for k in range(top_since, top_j + 1):
            if angle(heading[k, n] - heading[top_since, n]) >= top / 2:
                if k - last_event >= 15:
                    filled = add_event(events, filled, TURN, n, -1, k)
                    last_event = k
                break
    return filled


@njit(cache=True)
def _change(inside, start, speed, heading, n, j):
    best, since = 0.0, j
    if not inside[j, n] or not speed[j, n] > FAST:
        return best, since
    for i in range(max(start[j, n], j - 15), j):
        if speed[i, n] > FAST:
            d = angle(heading[j, n] - heading[i, n])
            if d >= best:
                best, since = d, i
    return best, since


@njit(cache=True)
def lingers(tracks, n, k, samples):
    """Whether the last `samples` positions up to sample k lie within 1.5 heights of their mean."""
    inside, start, pos, h = tracks[1], tracks[2], tracks[3], tracks[4]
    a = k - samples
    if a < 0 or not inside[k, n] or start[k, n] > a:
        return False
    reach = 1.5 * h[k, n]
    if np.hypot(pos[k, n, 0] - pos[a, n, 0], pos[k, n, 1] - pos[a, n, 1]) > 2 * reach:
        return False
    x = y = 0.0
    for g in range(a, k + 1):
        x += pos[g, n, 0]
        y += pos[g, n, 1]
    x /= samples + 1
    y /= samples + 1
    for g in range(a, k + 1):
        if np.hypot(pos[g, n, 0] - x, pos[g, n, 1] - y) > reach:
            return False
    return True


@njit(cache=True)
def loiter_events(tracks, n, last, events, filled):
    """Append loiter events of object n; return the number of events."""
    inside, start, pos, h = tracks[1], tracks[2], tracks[3], tracks[4]
    held = False
    x = y = 0.0
    for k in range(last):
        if not inside[k, n]:
            continue
        if k == start[k, n]:
            held = False
        if held and np.hypot(pos[k, n, 0] - x, pos[k, n, 1] - y) > 2 * h[k, n]:
            held = False
        if not held and k - start[k, n] >= 100 and lingers(tracks, n, k, 100):
            held = True
            x = y = 0.0
            for g in range(k - 100, k + 1):
                x += pos[g, n, 0]
                y += pos[g, n, 1]
            x /= 101
            y /= 101
            filled = add_event(events, filled, LOITER, n, -1, k)
    return filled


@njit(cache=True)
def find_events(tracks, last, aspect, rule, all_types, events):
    """Find all events of samples 0..last-1 except loiter; return their number.

    rule: detect collisions by boxes. Without all_types, only types that have causes are found.
    """
    filled = 0
    count = tracks[0].shape[1]
    for n in range(count):
        filled = visibility_events(tracks, n, last, aspect, events, filled)
        filled = motion_events(tracks, n, last, events, filled)
        filled = turn_events(tracks, n, 0, last, events, filled)
        for b in range(n + 1, count):
            filled = pair_events(tracks, n, b, last, rule, all_types, events, filled)
    return filled
