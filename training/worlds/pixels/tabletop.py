"""Makes table-top scenes: rigid bodies that slide, roll and collide on a plane, as video with exact truth.

    python -m training.worlds.pixels.tabletop --out DIR --count N --seed S --jobs J

Scene n has seed S + n and is written as sSEED.mp4 and sSEED.json; existing scenes are kept. The JSON has
fps, width, height, objects, boxes {frame: {id: [x, y, w, h]}} (px, of the visible pixels), events (collision, enter, exit; s)
and causes (from simulating the scene again without each object). --masks K adds sSEED.masks.npz with every K-th frame:
frames (n,) and labels (n, height, width), 0 = nothing, id + 1 = body, 255 = an occluder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from training.worlds.pixels.physics import simulate
from training.worlds.pixels.picture import NOTHING, OCCLUDER, Painter
from training.worlds.pixels.preview import write_preview
from training.worlds.pixels.scene import Scene, draw_scene
from training.worlds.pixels.truth import boxes_of, events_and_causes
from training.worlds.pixels.video import VideoWriter
from training.worlds.progress import Progress

VERSION = 1  # of the world: incremented when a seed gives a different scene


def _describe(scene: Scene, boxes: dict[str, Any], events: list[dict[str, Any]], causes: list[dict[str, Any]]) -> dict[str, Any]:
    camera = scene.camera
    return dict(
        world="tabletop",
        version=VERSION,
        seed=scene.seed,
        fps=scene.fps,
        width=camera.width,
        height=camera.height,
        frames=scene.frames,
        boxes=boxes,
        events=events,
        causes=causes,
        objects=[
            dict(
                id=b.id,
                shape=b.shape,
                color=[round(c, 3) for c in b.colour],
                half=[round(h, 4) for h in b.half],
                mass=round(b.mass, 4),
                friction=round(b.friction, 3),
                launch=round(b.launch, 3),
                fixed=b.fixed,
            )
            for b in scene.bodies
        ],
        camera=dict(eye=camera.eye.round(4).tolist(), rotation=camera.rotation.round(6).tolist(), focal=round(camera.focal, 3)),
        appearance={k: v for k, v in asdict(scene.appearance).items() if k not in ("rugs", "occluders")},
    )


def make_scene(seed: int, out: Path, masks: int, video: bool, duration: float) -> dict[str, Any]:
    """Write one scene unless it exists; return its truth. masks: every how many frames a label map is kept (0: never)."""
    target = out / f"s{seed}.json"
    if target.exists():
        return json.loads(target.read_text())
    scene = draw_scene(seed, duration)
    motion = simulate(scene.bodies, scene.floor_friction, scene.fps, scene.frames)
    painter = Painter(scene)
    boxes, kept, before = {}, {}, None
    writer = (
        VideoWriter(
            out / f"s{seed}.mp4",
            scene.camera.width,
            scene.camera.height,
            scene.fps,
            scene.appearance.crf,
            scene.appearance.preset,
        )
        if video
        else None
    )
    for k in range(scene.frames):
        pose = motion.positions[k], motion.rotations[k], motion.present[k]
        if writer:
            picture, labels = painter.paint(*pose)
            writer.write(picture)
        else:
            labels = painter.labels(*pose)
        boxes[str(k)] = boxes[str(k - 1)] if labels is before else boxes_of(labels, len(scene.bodies))
        before = labels
        if masks and k % masks == 0:
            kept[k] = np.where(labels == NOTHING, 0, np.where(labels == OCCLUDER, 255, labels + 1)).astype(np.uint8)
    if writer:
        writer.close()
    if kept:
        np.savez_compressed(out / f"s{seed}.masks.npz", frames=np.array([*kept]), labels=np.stack([*kept.values()]))
    truth = _describe(scene, boxes, *events_and_causes(scene, motion, boxes))
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(truth, separators=(",", ":")))
    os.replace(partial, target)
    return truth


def _work(task: tuple[Any, ...]) -> dict[str, Any]:
    truth = make_scene(*task)
    counts = {"objects": len(truth["objects"])}
    for e in truth["events"]:
        counts[e["type"]] = counts.get(e["type"], 0) + 1
    counts["necessary"] = sum(len(c["necessary"]) for c in truth["causes"])
    return counts


def _single_thread() -> None:
    """Limit OpenCV to one thread in each worker, because there are as many workers as cores to use."""
    import cv2

    cv2.setNumThreads(1)


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--count", type=int, required=True)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    ap.add_argument("--seconds", type=float, default=10.0, help="length of a scene")
    ap.add_argument("--masks", type=int, default=0, metavar="K", help="write label maps of every K-th frame")
    ap.add_argument("--no-video", action="store_true", help="truth only, several times faster")
    ap.add_argument("--preview", type=Path, metavar="FILE.png", help="a contact sheet of the first scenes")
    a = ap.parse_args(argv)
    a.out.mkdir(parents=True, exist_ok=True)
    seeds = range(a.seed, a.seed + a.count)
    tasks = [(s, a.out, a.masks, not a.no_video, a.seconds) for s in seeds]
    total: dict[str, int] = {}
    with multiprocessing.Pool(a.jobs, initializer=_single_thread) as pool, Progress(len(tasks)) as progress:
        for counts in pool.imap_unordered(_work, tasks):
            for key, n in counts.items():
                total[key] = total.get(key, 0) + n
            progress.step(" ".join(f"{k} {v}" for k, v in total.items()))
    if a.preview:
        write_preview(a.out, [s for s in seeds][:12], a.preview)


if __name__ == "__main__":
    main()
