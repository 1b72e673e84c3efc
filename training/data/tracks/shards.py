"""Scene shards: up to 1024 scenes in one uncompressed .npz."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

SCENES = 1024
EVENTS = ("type", "a", "b", "t")
SEEN_EVENTS = ("type", "a", "b", "t", "conf")


def pack(scenes: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Stack scenes; their events become one list with the number of the scene for each."""
    out = {}
    for name in scenes[0]:
        values = [scene[name] for scene in scenes]
        ragged = name.startswith(("ev_", "se_")) or name == "necessary"
        out[name] = np.concatenate(values) if ragged else np.stack(values)
    for prefix in ("ev", "se"):
        counts = [len(scene[f"{prefix}_type"]) for scene in scenes]
        out[f"{prefix}_scene"] = np.repeat(np.arange(len(scenes), dtype=np.int32), counts)
    return out


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a shard through a partial file, so that interrupted runs leave no incomplete shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(partial, path)


def shard_paths(folder: Path) -> list[Path]:
    """All shards of a folder, ordered by name."""
    return sorted(folder.glob("*.npz"))
