"""Exact truth of a scene: boxes of the visible pixels, contacts, visibility, and causes by counterfactual simulation."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from training.worlds.pixels.physics import Motion, simulate
from training.worlds.pixels.scene import Scene

MIN_PIXELS = 40  # objects with fewer visible pixels have no box
APART = 0.5  # s without touching after which the next touch is a new collision
SAME = 0.6  # s within which a collision of another run is the same one
IN_VIEW = 0.1  # s around a collision in which both must have been visible


def boxes_of(labels: np.ndarray, count: int) -> dict[str, list[int]]:
    """Boxes [x, y, w, h] in px of the visible pixels of the bodies in a label map, by id."""
    out: dict[str, list[int]] = {}
    present = np.bincount(labels.ravel(), minlength=256)
    for i in range(count):
        if present[i] < MIN_PIXELS:
            continue
        out[str(i)] = list(cv2.boundingRect((labels == i).view(np.uint8)))
    return out


def collisions(motion: Motion) -> list[tuple[float, int, int]]:
    """Return (time in s, i, j) of every first touch after APART without one, ordered by time.

    Bodies that touch at 0 s are at rest and do not collide.
    """
    out = []
    for (i, j), times in motion.touches.items():
        last = 0.05 if times[0] < 0.05 else -np.inf
        for t in times:
            if t - last > APART:
                out.append((t, i, j))
            last = max(last, t)
    return sorted(out)


def _visibility(boxes: dict[str, dict[str, Any]], scene: Scene) -> list[dict[str, Any]]:
    """Enter and exit events: start and end of each period in which a body is visible, split at gaps of 1 s."""
    out, frames = [], sorted(map(int, boxes))
    for i in range(len(scene.bodies)):
        seen = [k for k in frames if str(i) in boxes[str(k)]]
        for n, k in enumerate(seen):
            if k > 0 and (n == 0 or k - seen[n - 1] >= scene.fps):
                out.append(dict(type="enter", objects=[i], t=round(k / scene.fps, 3)))
            following = seen[n + 1] if n + 1 < len(seen) else scene.frames - 1 + scene.fps * (k < scene.frames - scene.fps)
            if following - k >= scene.fps:
                out.append(dict(type="exit", objects=[i], t=round(k / scene.fps, 3)))
    return out


def events_and_causes(
    scene: Scene, motion: Motion, boxes: dict[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Collisions in view with enters and exits, ordered by time, and the causes of the collisions."""

    def visible(i: int, t: float) -> bool:
        k = range(int(np.floor((t - IN_VIEW) * scene.fps)), int(np.ceil((t + IN_VIEW) * scene.fps)) + 1)
        return any(str(i) in boxes.get(str(n), {}) for n in k)

    visible_hits = [
        dict(type="collision", objects=[i, j], t=round(t, 3)) for t, i, j in collisions(motion) if visible(i, t) and visible(j, t)
    ]
    events = sorted(visible_hits + _visibility(boxes, scene), key=lambda e: e["t"])
    return events, _causes(scene, motion, events)


def influences(motion: Motion, pair: list[int], until: float) -> set[int]:
    """Bodies whose motion may have reached one of the pair by a chain of touches before `until` s."""
    reached = {i: {i} for i in range(motion.present.shape[1])}
    for _, i, j in sorted((t, i, j) for (i, j), times in motion.touches.items() for t in times if t < until):
        reached[i] = reached[j] = reached[i] | reached[j]
    return set().union(*(reached[i] for i in pair)) - set(pair)


def _causes(scene: Scene, motion: Motion, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each collision the bodies without which it does not happen.

    Only bodies that can have influenced it are tested: in a chaotic system the rounding changes with any body, however far.
    """
    wanted = [(n, e, influences(motion, e["objects"], e["t"] - 1e-3)) for n, e in enumerate(events) if e["type"] == "collision"]
    without = {
        x: collisions(simulate(scene.bodies, scene.floor_friction, scene.fps, scene.frames, without=x))
        for x in sorted(set().union(*(near for *_, near in wanted)))
    }
    out = []
    for n, e, near in wanted:
        need = [x for x in sorted(near) if not any([i, j] == e["objects"] and abs(t - e["t"]) <= SAME for t, i, j in without[x])]
        chain = [m for m, other, _ in wanted if other["t"] < e["t"] and set(other["objects"]) & set(need)]
        out.append(dict(event=n, necessary=need, chain=chain))
    return out
