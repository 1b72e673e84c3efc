"""Quantities that the event definitions derive from tracks at 10 Hz, compiled: segments, positions, speeds, headings."""

from __future__ import annotations

import numpy as np
from numba import njit

EVENT_TYPES = (
    "enter", "appear", "exit", "disappear", "start_moving", "stop", "turn", "meet", "separate", "approach", "collide",
    "zone_enter", "zone_leave", "line_cross", "loiter", "follow", "pick_up", "put_down", "fall",
)  # fmt: skip
ENTER, APPEAR, EXIT, DISAPPEAR, START, STOP, TURN, MEET, SEPARATE, APPROACH, COLLIDE = range(11)
LOITER, FOLLOW = 14, 15
SLOW, FAST = 0.15, 0.35  # bh/s
NEAR, FAR = 0.7, 1.2  # gap in mean h
TOUCH = 0.15  # box gap in mean size
BAND = 0.03  # border band, fraction of the frame
HZ = 10
UNSEEN = 10  # samples
MAX_EVENTS = 400  # of one scene; further events are dropped


class Tracks:
    """Buffers for the derived quantities, each [steps, count, ...].

    Filled boxes, inside (within an unbroken segment), start (first sample of the segment), position, height, velocity, speed in
    body heights per second (NaN before 0.6 s) and heading.
    """

    def __init__(self, steps: int, count: int):
        self.box = np.zeros((steps, count, 4))
        self.inside = np.zeros((steps, count), np.bool_)
        self.start = np.zeros((steps, count), np.int64)
        self.pos, self.vel = np.zeros((steps, count, 2)), np.zeros((steps, count, 2))
        self.h, self.speed, self.heading = np.zeros((3, steps, count))

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Return the buffers as the tuple that the compiled functions take."""
        return self.box, self.inside, self.start, self.pos, self.h, self.vel, self.speed, self.heading


@njit(cache=True)
def prepare(boxes, seen, upright, first, last, tracks):
    """Derive samples first..last-1 of all objects; samples before `first` must be derived already."""
    box, inside, start, pos, h, vel, speed, heading = tracks
    count = boxes.shape[1]
    window = np.empty(11)
    for n in range(count):
        before = -UNSEEN * 2  # last sample seen
        for k in range(first - 1, max(-1, first - 1 - UNSEEN), -1):
            if seen[k, n]:
                before = k
                break
        for k in range(first, last):
            inside[k, n] = False
            start[k, n] = -1
            speed[k, n] = np.nan
            heading[k, n] = np.nan
            if not seen[k, n]:
                continue
            inside[k, n] = True
            box[k, n] = boxes[k, n]
            if k - before < UNSEEN:
                start[k, n] = start[before, n]
                for g in range(before + 1, k):
                    f = (g - before) / (k - before)
                    inside[g, n] = True
                    start[g, n] = start[before, n]
                    for c in range(4):
                        box[g, n, c] = boxes[before, n, c] * (1 - f) + boxes[k, n, c] * f
            else:
                start[k, n] = k
            before = k
        for k in range(first, last):
            if not inside[k, n]:
                continue
            pos[k, n, 0] = box[k, n, 0] + box[k, n, 2] / 2
            pos[k, n, 1] = box[k, n, 1] + box[k, n, 3] * (1.0 if upright[n] else 0.5)
            m = 0
            for g in range(max(start[k, n], k - HZ), k + 1):
                value = box[g, n, 3]
                i = m
                while i > 0 and window[i - 1] > value:
                    window[i] = window[i - 1]
                    i -= 1
                window[i] = value
                m += 1
            h[k, n] = window[m // 2] if m % 2 else 0.5 * (window[m // 2 - 1] + window[m // 2])
            if k - start[k, n] >= 6:
                for c in range(2):
                    s = 0.0
                    for g in range(7):
                        s += (g - 3) * 0.1 * pos[k - 6 + g, n, c]
                    vel[k, n, c] = s / 0.28
                speed[k, n] = np.hypot(vel[k, n, 0], vel[k, n, 1]) / max(h[k, n], 1e-6)
                heading[k, n] = np.arctan2(vel[k, n, 1], vel[k, n, 0])


@njit(cache=True)
def add_event(events, filled, kind, a, b, k):
    """Append the event (kind, a, b, sample k) if there is room; return the number of events."""
    if filled < events.shape[0]:
        events[filled, 0] = kind
        events[filled, 1] = a
        events[filled, 2] = b
        events[filled, 3] = k
        return filled + 1
    return filled


@njit(cache=True)
def angle(d):
    """Absolute value of an angle difference in rad, wrapped to [0, pi]."""
    return abs((d + np.pi) % (2 * np.pi) - np.pi)
