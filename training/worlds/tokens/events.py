"""The event definitions of the specification on tracks at 10 Hz, compiled.

Tracks are boxes [T, N, 4] (x, y, w, h in frame heights) with seen [T, N]. A track unseen for 1 s is split, shorter gaps
are interpolated. Events are rows (type, a, b or -1, sample) of a buffer; types are indices in EVENT_TYPES.
"""

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
MOST_EVENTS = 400  # of one scene; more are not kept


class Tracks:
    """Room for what the definitions derive from tracks: filled boxes, in (inside an unbroken part), start (its first
    sample), position, h, velocity, speed in bh/s (NaN before 0.6 s), heading."""

    def __init__(self, steps: int, count: int):
        self.box = np.zeros((steps, count, 4))
        self.inside = np.zeros((steps, count), np.bool_)
        self.start = np.zeros((steps, count), np.int64)
        self.pos, self.vel = np.zeros((steps, count, 2)), np.zeros((steps, count, 2))
        self.h, self.speed, self.heading = np.zeros((3, steps, count))

    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.box, self.inside, self.start, self.pos, self.h, self.vel, self.speed, self.heading


@njit(cache=True)
def prepare(boxes, seen, upright, first, last, tracks):
    """Derives samples first..last-1 of all objects; those before `first` must be there already."""
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
def tell(events, filled, kind, a, b, k):
    if filled < events.shape[0]:
        events[filled, 0] = kind
        events[filled, 1] = a
        events[filled, 2] = b
        events[filled, 3] = k
        return filled + 1
    return filled


@njit(cache=True)
def angle(d):
    return abs((d + np.pi) % (2 * np.pi) - np.pi)


@njit(cache=True)
def in_band(box, aspect):
    return (
        box[0] <= BAND * aspect
        or box[1] <= BAND
        or box[0] + box[2] >= (1 - BAND) * aspect
        or box[1] + box[3] >= 1 - BAND
    )


@njit(cache=True)
def sights(tracks, n, last, aspect, events, filled):
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
        filled = tell(events, filled, ENTER if border else APPEAR, n, -1, a)
        if last - 1 - (k - 1) >= UNSEEN:
            filled = tell(events, filled, EXIT if in_band(box[k - 1, n], aspect) else DISAPPEAR, n, -1, k - 1)
    return filled


@njit(cache=True)
def moves(tracks, n, last, events, filled):
    inside, start, speed = tracks[1], tracks[2], tracks[6]
    can_start = can_stop = False
    part = -1
    k = 0
    while k < last:
        if not inside[k, n]:
            k += 1
            continue
        if start[k, n] != part:
            part = start[k, n]
            can_start = can_stop = False
        v = speed[k, n]
        state = 1 if v < SLOW else 2 if v > FAST else 0
        a = k
        k += 1
        while k < last and inside[k, n] and start[k, n] == part:
            v = speed[k, n]
            if (1 if v < SLOW else 2 if v > FAST else 0) != state:
                break
            k += 1
        length = k - 1 - a
        if state == 1:
            if length >= 8:
                if can_stop:
                    filled = tell(events, filled, STOP, n, -1, a)
                can_stop = False
            if length >= 10:
                can_start = True
        elif state == 2:
            if length >= 4:
                if can_start:
                    filled = tell(events, filled, START, n, -1, a)
                can_start = False
            if length >= 6:
                can_stop = True
    return filled


@njit(cache=True)
def turns(tracks, n, first, last, events, filled):
    """From sample `first` on: turns that were told before it are told again by nobody, so give it 3 s of a head."""
    inside, start, speed, heading = tracks[1], tracks[2], tracks[6], tracks[7]
    last_told = -1000.0
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
                if k - last_told >= 15:
                    filled = tell(events, filled, TURN, n, -1, k)
                    last_told = k
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
    """Whether the last `samples` up to k lie within 1.5 h of their mean."""
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
def loiters(tracks, n, last, events, filled):
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
            filled = tell(events, filled, LOITER, n, -1, k)
    return filled


@njit(cache=True)
def gap(tracks, a, b, k):
    pos, h = tracks[3], tracks[4]
    d = np.hypot(pos[k, a, 0] - pos[k, b, 0], pos[k, a, 1] - pos[k, b, 1])
    return d / max(0.5 * (h[k, a] + h[k, b]), 1e-6)


@njit(cache=True)
def box_gap(p, q):
    dx = max(abs(p[0] + p[2] / 2 - q[0] - q[2] / 2) - (p[2] + q[2]) / 2, 0.0)
    dy = max(abs(p[1] + p[3] / 2 - q[1] - q[3] / 2) - (p[3] + q[3]) / 2, 0.0)
    return np.hypot(dx, dy)


@njit(cache=True)
def mean_size(p, q):
    return 0.5 * (np.sqrt(p[2] * p[3]) + np.sqrt(q[2] * q[3]))


@njit(cache=True)
def meetings(tracks, a, b, lo, hi, events, filled):
    far = met = False
    k = lo
    while k <= hi:
        g = gap(tracks, a, b, k)
        state = 1 if g < NEAR else 2 if g > FAR else 0
        s = k
        k += 1
        while k <= hi:
            g = gap(tracks, a, b, k)
            if (1 if g < NEAR else 2 if g > FAR else 0) != state:
                break
            k += 1
        length = k - 1 - s
        if state == 1 and length >= 8:
            if far:
                filled = tell(events, filled, MEET, a, b, s)
                far, met = False, True
        elif state == 2:
            far = True
            if met and length >= 8:
                filled = tell(events, filled, SEPARATE, a, b, s)
                met = False
    return filled


@njit(cache=True)
def approaching(tracks, a, b, k):
    pos, h, vel = tracks[3], tracks[4], tracks[5]
    if not (tracks[6][k, a] >= 0 and tracks[6][k, b] >= 0):
        return False
    rx, ry = pos[k, b, 0] - pos[k, a, 0], pos[k, b, 1] - pos[k, a, 1]
    wx, wy = vel[k, b, 0] - vel[k, a, 0], vel[k, b, 1] - vel[k, a, 1]
    mean = max(0.5 * (h[k, a] + h[k, b]), 1e-6)
    dot = -(rx * wx + ry * wy)
    when = dot / max(wx * wx + wy * wy, 1e-9)
    least = np.hypot(rx + wx * when, ry + wy * when) / mean
    return when > 0 and when <= 3 and least < NEAR and dot / max(np.hypot(rx, ry), 1e-9) / mean > FAST


@njit(cache=True)
def following(tracks, a, b, k):
    pos, speed, heading = tracks[3], tracks[6], tracks[7]
    if not (speed[k, a] > FAST and speed[k, b] > FAST and angle(heading[k, a] - heading[k, b]) < np.pi / 6):
        return False
    g = gap(tracks, a, b, k)
    if not (g > NEAR and g < 4):
        return False
    way = np.arctan2(pos[k, b, 1] - pos[k, a, 1], pos[k, b, 0] - pos[k, a, 0])
    return angle(way - heading[k, a]) < np.pi / 4


@njit(cache=True)
def held_runs(tracks, a, b, lo, hi, follow, events, filled):
    """approach and follow: once in a run of the condition, which must have been false for 1 s before."""
    last_end, any_told = -1000, False
    k = lo
    while k <= hi:
        if not (following(tracks, a, b, k) if follow else approaching(tracks, a, b, k)):
            k += 1
            continue
        s = k
        while k <= hi and (following(tracks, a, b, k) if follow else approaching(tracks, a, b, k)):
            k += 1
        e = k - 1
        found = -1
        if follow:
            for j in range(s + 30, e + 1):
                low, high, total = 1e9, 0.0, 0.0
                for i in range(j - 30, j + 1):
                    g = gap(tracks, a, b, i)
                    low, high, total = min(low, g), max(high, g), total + g
                if high - low < 0.25 * total / 31:
                    found = j
                    break
        elif e - s >= 4:
            found = s
        if found >= 0 and s - last_end >= HZ:
            filled = tell(events, filled, FOLLOW if follow else APPROACH, a, b, found)
            any_told = True
        if found >= 0 or (any_told and s - last_end < HZ):
            last_end = e
    return filled


@njit(cache=True)
def kick(tracks, a, b, k, last):
    box, inside, pos, h = tracks[0], tracks[1], tracks[3], tracks[4]
    most = 0.0
    for n in range(max(k - 2, 2), min(k + 2, last - 3) + 1):
        if not (inside[n, a] and inside[n + 2, a] and inside[n - 2, a] and inside[n, b]):
            continue
        dx = (pos[n + 2, a, 0] - 2 * pos[n, a, 0] + pos[n - 2, a, 0]) / 0.2 / max(h[n, a], 1e-6)
        dy = (pos[n + 2, a, 1] - 2 * pos[n, a, 1] + pos[n - 2, a, 1]) / 0.2 / max(h[n, a], 1e-6)
        ax = box[n, a, 0] + box[n, a, 2] / 2 - box[n, b, 0] - box[n, b, 2] / 2
        ay = box[n, a, 1] + box[n, a, 3] / 2 - box[n, b, 1] - box[n, b, 3] / 2
        size = np.hypot(dx, dy)
        if dx * ax + dy * ay >= 0.5 * size * np.hypot(ax, ay) - 1e-9:
            most = max(most, size)
    return most


@njit(cache=True)
def centre_gap(p, q):
    return np.hypot(p[0] + p[2] / 2 - q[0] - q[2] / 2, p[1] + p[3] / 2 - q[1] - q[3] / 2) / max(mean_size(p, q), 1e-9)


@njit(cache=True)
def collisions(tracks, a, b, lo, hi, last, events, filled):
    """collide by the rule of the boxes."""
    box = tracks[0]
    k = lo
    while k <= hi:
        if not box_gap(box[k, a], box[k, b]) < TOUCH * mean_size(box[k, a], box[k, b]):
            k += 1
            continue
        s = k
        while k <= hi and box_gap(box[k, a], box[k, b]) < TOUCH * mean_size(box[k, a], box[k, b]):
            k += 1
        for j in range(s, k):
            here, least = centre_gap(box[j, a], box[j, b]), 1e9
            for i in range(max(s, j - 2), min(k - 1, j + 2) + 1):
                least = min(least, centre_gap(box[i, a], box[i, b]))
            if here <= least + 1e-9 and max(kick(tracks, a, b, j, last), kick(tracks, b, a, j, last)) > 0.5:
                filled = tell(events, filled, COLLIDE, a, b, j)
                break
    return filled


@njit(cache=True)
def pair_events(tracks, a, b, last, rule, all_types, events, filled):
    """meet and separate, collide by the rule where wanted, and with all_types approach and follow."""
    inside = tracks[1]
    k = 0
    while k < last:
        if not (inside[k, a] and inside[k, b]):
            k += 1
            continue
        lo = k
        while k < last and inside[k, a] and inside[k, b]:
            k += 1
        filled = meetings(tracks, a, b, lo, k - 1, events, filled)
        if rule:
            filled = collisions(tracks, a, b, lo, k - 1, last, events, filled)
        if all_types:
            filled = held_runs(tracks, a, b, lo, k - 1, False, events, filled)
            filled = held_runs(tracks, a, b, lo, k - 1, True, events, filled)
            filled = held_runs(tracks, b, a, lo, k - 1, True, events, filled)
    return filled


@njit(cache=True)
def find_events(tracks, last, aspect, rule, all_types, events):
    """All events of samples 0..last-1 but loiter; returns how many. Without all_types only what has causes."""
    filled = 0
    count = tracks[0].shape[1]
    for n in range(count):
        filled = sights(tracks, n, last, aspect, events, filled)
        filled = moves(tracks, n, last, events, filled)
        filled = turns(tracks, n, 0, last, events, filled)
        for b in range(n + 1, count):
            filled = pair_events(tracks, n, b, last, rule, all_types, events, filled)
    return filled
