"""Event definitions of two objects, compiled: meet, separate, approach, collide by boxes, follow."""

from __future__ import annotations

import numpy as np
from numba import njit

from training.worlds.tracks.derive import APPROACH, COLLIDE, FAR, FAST, FOLLOW, HZ, MEET, NEAR, SEPARATE, TOUCH, add_event, angle


@njit(cache=True)
def gap(tracks, a, b, k):
    """Distance of two objects at sample k in mean heights."""
    pos, h = tracks[3], tracks[4]
    d = np.hypot(pos[k, a, 0] - pos[k, b, 0], pos[k, a, 1] - pos[k, b, 1])
    return d / max(0.5 * (h[k, a] + h[k, b]), 1e-6)


@njit(cache=True)
def box_gap(p, q):
    """Distance of two boxes in frame heights, 0 if they overlap."""
    dx = max(abs(p[0] + p[2] / 2 - q[0] - q[2] / 2) - (p[2] + q[2]) / 2, 0.0)
    dy = max(abs(p[1] + p[3] / 2 - q[1] - q[3] / 2) - (p[3] + q[3]) / 2, 0.0)
    return np.hypot(dx, dy)


@njit(cache=True)
def mean_size(p, q):
    """Mean of the square roots of two box areas."""
    return 0.5 * (np.sqrt(p[2] * p[3]) + np.sqrt(q[2] * q[3]))


@njit(cache=True)
def meetings(tracks, a, b, lo, hi, events, filled):
    """Append meet and separate of the samples lo..hi; return the number of events."""
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
                filled = add_event(events, filled, MEET, a, b, s)
                far, met = False, True
        elif state == 2:
            far = True
            if met and length >= 8:
                filled = add_event(events, filled, SEPARATE, a, b, s)
                met = False
    return filled


@njit(cache=True)
def approaching(tracks, a, b, k):
    """Whether two objects will come near each other within 3 s at their velocities of sample k."""
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
    """Whether a moves behind b in the same direction at sample k."""
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
    """Append approach or follow: once per run of the condition, which must have been false for 1 s before.

    Return the number of events.
    """
    last_end, any_event = -1000, False
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
            filled = add_event(events, filled, FOLLOW if follow else APPROACH, a, b, found)
            any_event = True
        if found >= 0 or (any_event and s - last_end < HZ):
            last_end = e
    return filled


@njit(cache=True)
def kick(tracks, a, b, k, last):
    """Largest acceleration of a away from b around sample k, in heights per second squared over 0.2 s."""
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
    """Distance of the centres of two boxes in mean sizes."""
    return np.hypot(p[0] + p[2] / 2 - q[0] - q[2] / 2, p[1] + p[3] / 2 - q[1] - q[3] / 2) / max(mean_size(p, q), 1e-9)


@njit(cache=True)
def collisions(tracks, a, b, lo, hi, last, events, filled):
    """Append collide by the box rule; return the number of events."""
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
                filled = add_event(events, filled, COLLIDE, a, b, j)
                break
    return filled


@njit(cache=True)
def pair_events(tracks, a, b, last, rule, all_types, events, filled):
    """Append meet and separate, collide if `rule`, approach and follow if `all_types`; return the number of events."""
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
