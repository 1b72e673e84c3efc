"""Table-top scenes of the Bullet physics engine without pictures.

    python -m training.data bullet --out DIR --scenes N --seed S

Bodies, cameras and launches are those of training.worlds.pixels.tabletop. The noise model produces the observed tracks;
counterfactual simulations determine the causes.
"""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.data.tracks import shards
from training.data.tracks.stats import write_stats
from training.worlds.progress import Progress

if TYPE_CHECKING:
    from training.data.tracks.recorded import Recorded
    from training.worlds.pixels.physics import Motion
    from training.worlds.pixels.scene import Scene

SECONDS = 12.0
SHARD = 64
HZ = 10
LABEL = {"sphere": 5, "cube": 6, "cylinder": 7, "disc": 7, "box": 8, "prism": 11, "pyramid": 11}
SOLID = 0.82
SAME = 6  # samples


def view_of(scene: Scene, motion: Motion, without: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Visible boxes [K, n, 4] in frame heights and seen [K, n] of the poses of a motion."""
    from training.worlds.tracks.view import visible

    camera, n = scene.camera, len(scene.bodies)
    steps = len(motion.positions)
    boxes, seen = np.zeros((steps, n, 4)), np.zeros((steps, n), np.bool_)
    whole, depth = np.zeros((steps, n, 4)), np.full((steps, n), -1.0)
    for i, body in enumerate(scene.bodies):
        points = np.einsum("kij,vj->kvi", motion.rotations[:, i], body.vertices()) + motion.positions[:, i, None]
        pixel, far = camera.project(points.reshape(-1, 3))
        pixel, far = pixel.reshape(steps, -1, 2) / camera.height, far.reshape(steps, -1)
        there = motion.present[:, i] & (far.min(1) > 0.3)
        whole[:, i] = np.c_[pixel.min(1), np.ptp(pixel, 1)]
        depth[there, i] = far.mean(1)[there]
    if without is not None:
        depth[:, without] = -1
    for k in range(steps):
        visible(whole[k], depth[k], camera.width / camera.height, SOLID, boxes[k], seen[k])
    return boxes, seen


def make_scene(seed: int) -> dict[str, np.ndarray] | None:
    """Return one scene, or None when it has no body or more bodies than a shard takes."""
    from training.data.tracks import recorded as rec
    from training.worlds.pixels.physics import simulate
    from training.worlds.pixels.scene import draw_scene
    from training.worlds.pixels.truth import collisions

    scene = draw_scene(seed, SECONDS)
    n = len(scene.bodies)
    if n == 0 or n > rec.OBJECTS:
        return None
    frames = int(SECONDS * HZ) + 1
    motion = simulate(scene.bodies, scene.floor_friction, HZ, frames)
    boxes, seen = view_of(scene, motion)
    contacts = np.array([(i, j, t) for t, i, j in collisions(motion)], float).reshape(-1, 3)
    colours = np.array([int(c[0] > 0.5) * 4 + int(c[1] > 0.5) * 2 + int(c[2] > 0.5) for c in (b.colour for b in scene.bodies)])
    recorded = rec.Recorded(0, scene.camera.width / scene.camera.height, np.full(n, 3),
                            np.array([LABEL[b.shape] for b in scene.bodies], np.int8), colours.astype(np.int8), boxes, seen,
                            contacts)  # fmt: skip
    return rec.to_scene(recorded, seed, necessary(scene, motion, recorded))


def necessary(scene: Scene, motion: Motion, recorded: Recorded) -> np.ndarray:
    """Return [E, n] for the events before 10 s: 1 where an event with a question does not happen without the body."""
    from training.data.tracks import recorded as rec
    from training.worlds.pixels.physics import simulate
    from training.worlds.pixels.truth import collisions, influences
    from training.worlds.tracks.compose import CAUSED
    from training.worlds.tracks.events import COLLIDE

    _, events = rec.true_events(recorded)
    within = events[events[:, 3] < rec.STEPS]
    out = np.full((len(within), len(scene.bodies)), -1, np.int8)
    near = []
    for row, (kind, a, b, k) in enumerate(within):
        own = [int(i) for i in (a, b) if i >= 0]
        near.append(influences(motion, own, k / HZ + 0.05) if kind in CAUSED else set())
        if kind in CAUSED:
            out[row] = 0
            out[row, own] = -1
    for x in sorted(set().union(*near)) if near else []:
        other = simulate(scene.bodies, scene.floor_friction, HZ, len(motion.positions), without=x)
        boxes, seen = view_of(scene, other, x)
        hits = np.array([(i, j, t) for t, i, j in collisions(other)], float).reshape(-1, 3)
        found = rec.true_events(rec.Recorded(0, recorded.aspect, recorded.kind, recorded.label, recorded.color, boxes, seen,
                                             hits))[1]  # fmt: skip
        for row, (kind, a, b, k) in enumerate(within):
            if x not in near[row]:
                continue
            if kind == COLLIDE:
                still = any({i, j} == {a, b} and abs(t * HZ - k) <= SAME for i, j, t in hits)
            else:
                still = any(e[0] == kind and e[1] == a and e[2] == b and abs(e[3] - k) <= SAME for e in found)
            out[row, x] = 0 if still else 1
    return out


def make_shard(task: tuple[Path, int, int]) -> str:
    """Write one shard of (path, seed, count) unless it exists; return a note for the progress bar."""
    path, seed, count = task
    if path.exists():
        return f"{path.name} kept"
    scenes = [scene for scene in map(make_scene, range(seed, seed + count)) if scene]
    shards.write(path, shards.pack(scenes))
    return path.name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)


def main(options: argparse.Namespace) -> None:
    """Run the command."""
    firsts = range(0, options.scenes, SHARD)
    tasks = [
        (options.out / f"bullet-{n:05d}.npz", options.seed + f, min(SHARD, options.scenes - f)) for n, f in enumerate(firsts)
    ]
    with multiprocessing.Pool(options.jobs) as pool, Progress(len(tasks)) as progress:
        for note in pool.imap_unordered(make_shard, tasks):
            progress.step(note)
    write_stats(options.out)
