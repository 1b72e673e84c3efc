"""Checks the invariants of shards.

    python -m training.data check DIR [--reference FOLDER]

Exits with 1 when an invariant is violated. With --reference (the folder of the reference implementation of the event
definitions) it also prints how well the events of the true tracks agree with it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from training.data.tracks import shards
from training.worlds.tracks.events import COLLIDE, EVENT_TYPES

AGREE_S = 0.15  # s
SHAPES = {
    "boxes": (100, 8, 4), "seen": (100, 8), "true_boxes": (100, 8, 4), "true_seen": (100, 8), "kind": (8,), "label": (8,),
    "color": (8,), "aspect": (), "world": (), "moment": (2,), "single": (2, 8, 5, 6), "pair": (2, 8, 8, 2, 6),
    "actual_single": (2, 8, 5), "actual_pair": (2, 8, 8, 2), "future": (2, 8, 30, 2),
}  # fmt: skip


def problems(shard: dict[str, np.ndarray]) -> list[str]:
    """Violated invariants of one shard."""
    found = []

    def must(holds: bool, what: str) -> None:
        if not holds:
            found.append(what)

    scenes = len(shard["world"])
    for name, shape in SHAPES.items():
        must(shard[name].shape == (scenes, *shape), f"{name} has shape {shard[name].shape}")
    for boxes, seen in (("boxes", "seen"), ("true_boxes", "true_seen")):
        b = shard[boxes].astype(np.float32)
        must(bool((b[~shard[seen]] == 0).all()), f"{boxes} where not {seen}")
        must(bool((b[shard[seen]][:, 2:] > 0).all()), f"{boxes} without a size")
        edge = b[..., 0] + b[..., 2] - shard["aspect"][:, None, None]
        must(bool((edge < 0.01).all() and (b[..., :2] > -0.01).all()), f"{boxes} outside the picture")
    must(bool((shard["kind"][:, None].repeat(100, 1)[shard["seen"]] >= 0).all()), "seen objects without a kind")
    for group, actual in (("single", "actual_single"), ("pair", "actual_pair")):
        soft, hard = shard[group].astype(np.float32), shard[actual]
        must(bool((np.isnan(soft).all(-1) == (hard < 0)).all()), f"{group} and {actual} differ in what is due")
        must(bool((np.nansum(soft, -1) <= 1.01).all()), f"{group} sums to more than 1")
        must(bool((np.nan_to_num(soft) >= 0).all()), f"{group} below 0")
    must(bool((shard["pair"].swapaxes(2, 3) == shard["pair"])[~np.isnan(shard["pair"])].all()), "pair is not symmetric")
    rows = np.arange(len(shard["ev_a"]))
    must(bool((shard["necessary"][rows, shard["ev_a"]] <= 0).all()), "a participant among the necessary")
    must(bool((shard["ev_t"] < 10).all() and (np.diff(shard["ev_scene"]) >= 0).all()), "events out of order")
    must(bool((shard["moment"] >= 2).all() and (shard["moment"] <= 7.01).all()), "moments out of range")
    must(bool(np.allclose(shard["moment"][:, 0], shard["moment"][:, 0].round())), "first moments not at whole seconds")
    return found


def agreement(shard: dict[str, np.ndarray], reference: Path, scenes: int) -> dict[str, list[int]]:
    """Count per type the events of the shard, of the reference, and of both, on the true tracks.

    Two events agree if the participants are the same and the times differ by at most AGREE_S. Events of the last 1.2 s are left
    out:
    the shard was made with the samples that follow, the reference was not.
    """
    sys.path.insert(0, str(reference))
    events, tracks = importlib.import_module("events"), importlib.import_module("tracks")
    counts: dict[str, list[int]] = {}
    for s in range(min(scenes, len(shard["world"]))):
        width, height = 10_000 * float(shard["aspect"][s]), 10_000
        listed = []
        for n in range(8):
            k = np.where(shard["true_seen"][s, :, n])[0]
            label = "person" if shard["kind"][s, n] in (0, 2) else "object"
            boxes = shard["true_boxes"][s, k, n].astype(float) * 10_000
            if len(k):
                listed.append(tracks.Track(str(n), label, k / 10, boxes))
        theirs = events.find_events(tracks.Recording("s", width, height, 10, 9.9, listed))
        physical = shard["world"][s] == 0
        rows = np.where(shard["ev_scene"] == s)[0]
        ours = [(EVENT_TYPES[shard["ev_type"][e]], {str(i) for i in (shard["ev_a"][e], shard["ev_b"][e]) if i >= 0},
                 float(shard["ev_t"][e])) for e in rows if not (physical and shard["ev_type"][e] == COLLIDE)]  # fmt: skip
        other = [(e["type"], set(e["participants"]), e["t"]) for e in theirs if not (physical and e["type"] == "collide")]
        _count(counts, [e for e in ours if e[2] < 8.7], [e for e in other if e[2] < 8.7])
    return counts


def _count(counts: dict[str, list[int]], ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]) -> None:
    left = list(theirs)
    for kind, who, t in ours:
        row = counts.setdefault(kind, [0, 0, 0])
        row[0] += 1
        match = next((e for e in left if e[0] == kind and e[1] == who and abs(e[2] - t) <= AGREE_S), None)
        if match:
            row[2] += 1
            left.remove(match)
    for kind, _, _ in theirs:
        counts.setdefault(kind, [0, 0, 0])[1] += 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reference", type=Path, help="folder with events.py and tracks.py of the evaluation")
    parser.add_argument("--scenes", type=int, default=300, help="of the first shard, for the agreement")


def main(options: argparse.Namespace) -> None:
    """Run the command."""
    paths = shards.shard_paths(options.folder)
    if not paths:
        raise SystemExit(f"no shards in {options.folder}")
    bad = 0
    for path in paths:
        with np.load(path) as stored:
            shard = {name: stored[name] for name in stored.files}
        for problem in problems(shard):
            print(f"{path.name}: {problem}")
            bad += 1
        if options.reference and path == paths[0]:
            for kind, (ours, theirs, both) in sorted(agreement(shard, options.reference, options.scenes).items()):
                print(f"{kind:14} ours {ours:5} reference {theirs:5} agree {both:5} F1 {2 * both / max(1, ours + theirs):.3f}")
    print(f"{len(paths)} shards, {bad} problems")
    if bad:
        raise SystemExit(1)
