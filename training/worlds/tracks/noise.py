"""Model of the errors of the tracker, compiled.

training/train/track_noise.py fits the parameters in noise.json: one set for each level of tracking quality, from best to worst.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numba import njit

PARAMETERS = Path(__file__).with_name("noise.json")
NAMES = (
    "white", "white_share", "slow", "slow_share", "memory", "miss", "miss_stays", "coast", "late_s", "never", "death_s",
    "merge", "swap", "break", "ghosts", "only_moving", "bias_share", "blind", "min_late_s",
)  # fmt: skip
(WHITE, WHITE_SHARE, SLOW, SLOW_SHARE, MEMORY, MISS, MISS_STAYS, COAST, LATE, NEVER, DEATH, MERGE, SWAP, BREAK, GHOSTS,
 ONLY_MOVING, BIAS_SHARE, BLIND, MIN_LATE) = range(19)  # fmt: skip
MOVED = 0.08  # share of its size that an object must have moved where only moving objects are tracked
MAX_COAST = 5  # samples


def load_levels(world: str) -> list[dict[str, float]]:
    """Parameters of each level; world: tabletop or street."""
    return json.loads(PARAMETERS.read_text())[world]


def load_noise(world: str) -> np.ndarray:
    """Parameters [levels, names] in the order of NAMES."""
    return np.array([[level[name] for name in NAMES] for level in load_levels(world)], np.float64)


@njit(cache=True)
def observe(boxes, seen, kind, aspect, p, spread, out, out_seen, out_kind, source):
    """Turn true tracks [T, N] into observed ones.

    spread: factor of jitter and misses in this scene. Slots without a true object may receive the earlier segment of a broken
    track,
    or a ghost track. source [T, N]: the true object shown, -1 for none.
    """
    steps, n = seen.shape
    out_seen[:] = False
    out[:] = 0.0
    out_kind[:] = kind
    source[:] = -1
    only_moving = np.random.random() < p[ONLY_MOVING]
    for i in range(n):
        if kind[i] >= 0 and np.random.random() >= p[NEVER] * spread:
            still_unseen = only_moving or np.random.random() < p[BLIND]
            _one(boxes, seen, i, aspect, p, spread, still_unseen, out, out_seen)
            for k in range(steps):
                if out_seen[k, i]:
                    source[k, i] = i
    _joined(boxes, seen, kind, p, out, out_seen, source)
    for i in range(n):
        if kind[i] < 0:
            continue
        for k in range(10, steps - 5):
            if out_seen[k, i] and np.random.random() < p[BREAK] * 0.1:
                _break(i, k, out, out_seen, out_kind, source)
                break
    if np.random.random() < p[GHOSTS]:
        _ghost(aspect, out, out_seen, out_kind)


@njit(cache=True)
def _one(boxes, seen, i, aspect, p, spread, only_moving, out, out_seen):
    normal = np.random.normal
    slow = np.zeros(4)
    edges, bias = np.zeros(4), np.zeros(4)
    for c in range(4):
        slow[c] = normal()
        bias[c] = p[BIAS_SHARE] * normal()
    factor = spread * np.exp(normal(0.0, 0.35))
    keep = np.sqrt(1 - p[MEMORY] ** 2)
    missed, coasts, gone = False, False, 0
    wait = int(np.random.exponential(p[LATE]) * 10 + p[MIN_LATE] * 10)
    unseen, moved = 100, not only_moving
    last_death = int(np.random.exponential(p[DEATH]) * 10)
    first_x = first_y = 0.0
    for k in range(seen.shape[0]):
        if not seen[k, i]:
            unseen += 1
            missed = False
            continue
        if unseen >= 10:
            wait = int(np.random.exponential(p[LATE]) * 10 + p[MIN_LATE] * 10)
            first_x, first_y = boxes[k, i, 0], boxes[k, i, 1]
            moved = not only_moving
        unseen = 0
        ends = min(k + last_death, seen.shape[0] - 1)
        size = np.sqrt(boxes[k, i, 2] * boxes[k, i, 3])
        moved = moved or np.hypot(boxes[k, i, 0] - first_x, boxes[k, i, 1] - first_y) > MOVED * size
        for c in range(4):
            slow[c] = p[MEMORY] * slow[c] + keep * normal()
            value = boxes[k, i, c] + (boxes[k, i, c - 2] if c > 1 else 0.0)
            jitter = (p[SLOW] + p[SLOW_SHARE] * size) * slow[c] + (p[WHITE] + p[WHITE_SHARE] * size) * normal()
            value += bias[c] * size + factor * jitter
            edges[c] = value
        if missed:
            missed = np.random.random() < p[MISS_STAYS]
        else:
            missed = np.random.random() < p[MISS] * factor
            coasts, gone = np.random.random() < p[COAST], 0
        if wait > 0:
            wait -= 1
            continue
        if not moved or (not seen[ends, i] and last_death > 0):
            continue
        if missed:
            gone += 1
            if not coasts or gone > MAX_COAST or k < 2 or not out_seen[k - 1, i] or not out_seen[k - 2, i]:
                continue
            for c in range(4):
                edges[c] = out[k - 1, i, c] + (0.8 * (out[k - 1, i, c] - out[k - 2, i, c]) if c < 2 else 0.0)
            edges[2] += edges[0]
            edges[3] += edges[1]
            if edges[0] >= aspect - 0.01 or edges[1] >= 0.99 or edges[2] <= 0.01 or edges[3] <= 0.01:
                continue
        x0, y0 = min(max(edges[0], 0.0), aspect), min(max(edges[1], 0.0), 1.0)
        x1, y1 = min(max(edges[2], 0.0), aspect), min(max(edges[3], 0.0), 1.0)
        out[k, i, 0], out[k, i, 1], out[k, i, 2], out[k, i, 3] = x0, y0, max(x1 - x0, 0.004), max(y1 - y0, 0.004)
        out_seen[k, i] = True


@njit(cache=True)
def overlap(a, b):
    """Intersection area over the area of the smaller box."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / max(min(a[2] * a[3], b[2] * b[3]), 1e-9)


@njit(cache=True)
def _joined(boxes, seen, kind, p, out, out_seen, source):
    """Merge or swap the tracks of two objects while they overlap."""
    steps, n = seen.shape
    for a in range(n):
        for b in range(a + 1, n):
            if kind[a] < 0 or kind[b] < 0:
                continue
            k = 0
            while k < steps:
                if not (seen[k, a] and seen[k, b] and overlap(boxes[k, a], boxes[k, b]) > 0.1):
                    k += 1
                    continue
                s = k
                while k < steps and seen[k, a] and seen[k, b] and overlap(boxes[k, a], boxes[k, b]) > 0.1:
                    k += 1
                if np.random.random() < p[MERGE]:
                    big, small = (a, b) if boxes[s, a, 2] * boxes[s, a, 3] > boxes[s, b, 2] * boxes[s, b, 3] else (b, a)
                    for g in range(s, min(k, s + 25)):
                        if out_seen[g, big] and out_seen[g, small]:
                            _union(out[g, big], out[g, small])
                            out_seen[g, small] = False
                            source[g, small] = -1
                if np.random.random() < p[SWAP] and kind[a] == kind[b]:
                    for g in range((s + k) // 2, min(steps, k + int(np.random.exponential(6.0)))):
                        for c in range(4):
                            out[g, a, c], out[g, b, c] = out[g, b, c], out[g, a, c]
                        out_seen[g, a], out_seen[g, b] = out_seen[g, b], out_seen[g, a]
                        source[g, a], source[g, b] = source[g, b], source[g, a]


@njit(cache=True)
def _union(a, b):
    x1, y1 = max(a[0] + a[2], b[0] + b[2]), max(a[1] + a[3], b[1] + b[3])
    a[0], a[1] = min(a[0], b[0]), min(a[1], b[1])
    a[2], a[3] = x1 - a[0], y1 - a[1]


@njit(cache=True)
def _break(i, k, out, out_seen, out_kind, source):
    """Give the track a new id at sample k: its earlier samples move to a free slot, or are lost."""
    free = -1
    for j in range(out_kind.shape[0]):
        if out_kind[j] < 0:
            free = j
    for g in range(k):
        if free >= 0:
            out[g, free] = out[g, i]
            out_seen[g, free] = out_seen[g, i]
            source[g, free] = source[g, i]
        out_seen[g, i] = False
        source[g, i] = -1
    if free >= 0:
        out_kind[free] = out_kind[i]


@njit(cache=True)
def _ghost(aspect, out, out_seen, out_kind):
    """Add the track of a shadow, a reflection or a stain, still or drifting."""
    steps, n = out_seen.shape
    free = -1
    for j in range(n):
        if out_kind[j] < 0:
            free = j
    if free < 0:
        return
    u = np.random.uniform
    w, h = u(0.02, 0.15), u(0.02, 0.15)
    x, y, vx, vy = u(0.0, aspect - w), u(0.0, 1 - h), np.random.normal(0.0, 0.002), np.random.normal(0.0, 0.002)
    first = np.random.randint(0, steps - 10)
    last = min(steps, first + 5 + int(np.random.exponential(25.0)))
    out_kind[free] = 3
    for k in range(first, last):
        if x + vx * (k - first) < 0.01 or x + vx * (k - first) + w > aspect - 0.01:
            break
        if y + vy * (k - first) < 0.01 or y + vy * (k - first) + h > 0.99:
            break
        out[k, free, 0], out[k, free, 1] = x + vx * (k - first) + u(-0.004, 0.004), y + vy * (k - first) + u(-0.004, 0.004)
        out[k, free, 2], out[k, free, 3] = w + u(-0.004, 0.004), h + u(-0.004, 0.004)
        out_seen[k, free] = True
