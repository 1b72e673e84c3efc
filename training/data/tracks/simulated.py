"""Simulates track scenes.

python -m training.data tracks --out DIR --scenes N --seed S --jobs J
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from pathlib import Path

import numpy as np

from training.data.tracks import shards
from training.data.tracks.preview import write_preview
from training.data.tracks.stats import write_stats
from training.worlds.progress import Progress

TABLE_SHARE = 0.6


def make_shard(task: tuple[Path, int, int, int, int]) -> str:
    """Write one shard unless it exists; return a note for the progress bar."""
    path, seed, count, runs, long_runs = task
    if path.exists():
        return f"{path.name} kept"
    from training.worlds.tracks.scene import make_scene

    worlds = np.random.default_rng([seed, 5]).random(count) >= TABLE_SHARE
    scenes = [make_scene(seed + n, int(world), runs, long_runs) for n, world in enumerate(worlds)]
    shards.write(path, shards.pack(scenes))
    return path.name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1, help="of the first scene; the others follow")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--runs", type=int, default=6, help="futures of each moment")
    parser.add_argument("--long-runs", type=int, default=2, help="futures that are long enough for loitering")


def main(options: argparse.Namespace) -> None:
    """Run the command."""
    tasks = []
    for n, first in enumerate(range(0, options.scenes, shards.SCENES)):
        count = min(shards.SCENES, options.scenes - first)
        path = options.out / f"tracks-{n:05d}.npz"
        tasks.append((path, options.seed + first, count, options.runs, options.long_runs))
    with multiprocessing.Pool(options.jobs) as pool, Progress(len(tasks)) as progress:
        for note in pool.imap_unordered(make_shard, tasks):
            progress.step(note)
    write_stats(options.out)
    write_preview(options.out / "tracks-00000.npz", options.out / "preview.png")
