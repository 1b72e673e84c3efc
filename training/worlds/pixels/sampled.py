"""Table-top scenes sampled at 4 Hz, in the format of the street clips."""

from __future__ import annotations

import cv2
import numpy as np

from training.worlds.pixels.physics import Motion, simulate
from training.worlds.pixels.picture import NOTHING, OCCLUDER, Painter
from training.worlds.pixels.scene import Scene, draw_scene
from training.worlds.pixels.street import STEP_HZ, Clip, Frame
from training.worlds.pixels.truth import MIN_PIXELS, collisions

JPEG_QUALITIES = (35, 92)
REPORTED_EVENTS = ["enter", "exit", "collide"]


def tabletop_clip(seed: int, length: int) -> Clip:
    """Return `length` frames at 4 Hz of the table-top scene of a seed.

    Ids are body indices + 1. `whole` counts visible pixels only: occlusion is not taken into account.
    """
    scene = draw_scene(seed, length / STEP_HZ)
    motion = simulate(scene.bodies, scene.floor_friction, scene.fps, scene.frames)
    painter = Painter(scene)
    quality = int(np.random.default_rng([seed, 4]).integers(*JPEG_QUALITIES))
    frames = []
    for index in range(length):
        at = min(scene.frames - 1, round(index / STEP_HZ * scene.fps))
        picture, labels = painter.paint(motion.positions[at], motion.rotations[at], motion.present[at])
        ids = np.where((labels == NOTHING) | (labels == OCCLUDER), 0, labels + 1).astype(np.uint8)
        counts = np.bincount(ids.ravel(), minlength=len(scene.bodies) + 1)
        whole = {number: float(count) for number, count in enumerate(counts) if number and count >= MIN_PIXELS}
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        frames.append(Frame(cv2.imdecode(coded, cv2.IMREAD_COLOR), ids, whole))
    return Clip(frames, events_of(scene, motion, frames))


def events_of(scene: Scene, motion: Motion, frames: list[Frame]) -> list[tuple[str, int, int]]:
    """Collisions of two visible bodies, and times at which bodies become visible or invisible."""
    found = []
    for time, i, j in collisions(motion):
        index = min(len(frames) - 1, int(time * STEP_HZ))
        if i + 1 in frames[index].whole and j + 1 in frames[index].whole:
            found.append(("collide", index, i + 1))
    for number in range(1, len(scene.bodies) + 1):
        seen = [number in frame.whole for frame in frames]
        for index in range(1, len(frames)):
            if seen[index] != seen[index - 1]:
                found.append(("enter" if seen[index] else "exit", index, number))
    return sorted(found, key=lambda event: event[1])
