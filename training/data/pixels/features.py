"""Caches the features of the frozen detector on rendered scenes: one .npz per scene with features, truth and provenance.

python -m training.data.pixels.features street --first 0 --count 200 --out CACHE/train
python -m training.data.pixels.features tabletop --first 0 --count 100 --out CACHE/train
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.data.pixels.pyramid import Pyramid, grid_of, planes_of
from training.worlds.pixels.street import STEP_HZ, Clip, Street

LENGTH = 40
KEYFRAME_EVERY = 5
EVENT_TYPES = ["enter", "exit", "start", "stop", "collide"]
STREET_EVENTS = ["enter", "exit", "start", "stop"]


@dataclass
class Keyframe:
    """One picture: planes uint8, maps float16, `ids` uint8 [height, width], `whole` {id: area of the full outline in px}."""

    scene: str
    index: int
    planes: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]
    ids: np.ndarray
    whole: dict[int, float]


def save_scene(path: Path, clip: Clip, pyramid: Pyramid, reported: list[str], provenance: dict[str, Any]) -> None:
    """Write pooled features of all frames; full maps, planes and masks of every KEYFRAME_EVERY-th."""
    arrays: dict[str, np.ndarray] = {}
    grids = []
    for index, frame in enumerate(clip.frames):
        planes = planes_of(frame.picture)
        maps = pyramid(planes)
        grids.append(grid_of(maps))
        if index % KEYFRAME_EVERY:
            continue
        for name, plane in planes.items():
            arrays[f"{index}.{name}"] = plane
        for name, values in maps.items():
            arrays[f"{index}.{name}"] = values if name == "covered" else values.astype(np.float16)
        arrays[f"{index}.ids"] = cv2.imencode(".png", frame.ids)[1]
        arrays[f"{index}.whole"] = np.array(sorted(frame.whole.items()), np.float32).reshape(-1, 2)
    events = [(EVENT_TYPES.index(kind), index) for kind, index, _ in clip.events]
    arrays["grids"] = np.stack(grids).astype(np.float16)
    arrays["events"] = np.array(events, np.int32).reshape(-1, 2)
    arrays["reported"] = np.array([kind in reported for kind in EVENT_TYPES])
    arrays["provenance"] = np.array(json.dumps(provenance))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    partial.rename(path)


def load_keyframes(path: Path) -> list[Keyframe]:
    """Keyframes of a cached scene."""
    with np.load(path) as stored:
        indexes = sorted({int(name.split(".")[0]) for name in stored.files if "." in name})
        return [
            Keyframe(
                path.stem,
                index,
                {name: stored[f"{index}.{name}"] for name in "yuv"},
                {name: stored[f"{index}.{name}"] for name in ("p3", "p4", "p5", "covered")},
                cv2.imdecode(stored[f"{index}.ids"], cv2.IMREAD_UNCHANGED),
                {int(number): float(area) for number, area in stored[f"{index}.whole"]},
            )
            for index in indexes
        ]


def scene_files(folder: Path, limit: int | None = None) -> list[Path]:
    """Cached scenes in a folder, ordered by name; exits when there is none."""
    files = sorted(folder.glob("*.npz"))[:limit]
    if not files:
        raise SystemExit(f"no scenes in {folder}: make some with python -m training.data.pixels.features")
    return files


def data_hash(files: list[Path]) -> str:
    """SHA-256 over the names and provenance of the scenes."""
    digest = hashlib.sha256()
    for path in files:
        with np.load(path) as stored:
            digest.update(path.name.encode() + str(stored["provenance"]).encode())
    return digest.hexdigest()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", choices=["street", "tabletop"])
    parser.add_argument("--first", type=int, default=0, help="seed of the first scene")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--length", type=int, default=LENGTH, help="frames at 4 Hz")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pyramid = Pyramid()
    for seed in range(options.first, options.first + options.count):
        path = options.out / f"{options.world}-{seed:06d}.npz"
        if path.exists():
            continue
        provenance = {"world": options.world, "seed": seed, "length": options.length, "hz": STEP_HZ}
        clip, reported = make_clip(options.world, seed, options.length)
        save_scene(path, clip, pyramid, reported, provenance)
        print(path, flush=True)


def make_clip(world: str, seed: int, length: int) -> tuple[Clip, list[str]]:
    """Return a scene and the event types that its world reports."""
    if world == "street":
        return Street(seed, length).clip(), STREET_EVENTS
    from training.worlds.pixels.sampled import REPORTED_EVENTS, tabletop_clip  # needs pybullet, the street does not

    return tabletop_clip(seed, length), REPORTED_EVENTS


if __name__ == "__main__":
    main()
