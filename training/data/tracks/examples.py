"""Shards of track scenes (python -m training.data tracks) as arrays: examples, mirroring, batches by number of objects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

THINGS = 8
HZ = 10
TRACK_NAMES = ("boxes", "seen", "kind", "age", "aspect")


def shard_files(folder: Path, limit: int | None = None) -> list[Path]:
    """Shards in a folder, ordered by name; exits when there is none."""
    files = sorted(folder.glob("tracks-*.npz"))[:limit]
    if not files:
        raise SystemExit(f"no tracks-*.npz in {folder}: make them with python -m training.data tracks")
    return files


def shards_hash(files: list[Path]) -> str:
    """SHA-256 over the names, sizes and kinds of objects of the shards, which differ with the seed."""
    digest = hashlib.sha256()
    for path in files:
        with np.load(path) as stored:
            digest.update(f"{path.name} {path.stat().st_size}".encode() + stored["kind"].tobytes())
    return digest.hexdigest()


def window(series: np.ndarray, ends: np.ndarray, steps: int) -> np.ndarray:
    """The `steps` frames that end with frame `ends` [S] of series [S, T, 8, ...]: [S, 8, steps, ...], 0 before the first."""
    at = ends[:, None] - steps + 1 + np.arange(steps)
    cut = series[np.arange(len(series))[:, None], at.clip(0, series.shape[1] - 1)]
    outside = (at < 0) | (at >= series.shape[1])
    cut[outside] = 0
    return np.moveaxis(cut, 1, 2)


def tracks_at(shard: dict[str, np.ndarray], scene: np.ndarray, ends: np.ndarray, steps: int) -> dict[str, np.ndarray]:
    """Inputs (docs/fused-model.md) for examples of a shard, given the scene and the newest frame of each."""
    seen = shard["seen"][scene]
    boxes = np.nan_to_num(shard["boxes"][scene]) * seen[..., None]
    first = np.where(seen.any(1), seen.argmax(1), seen.shape[1])
    return {
        "boxes": window(boxes.astype(np.float16), ends, steps),
        "seen": window(seen, ends, steps),
        "kind": shard["kind"][scene],
        "age": ((ends[:, None] - first) / HZ).clip(0).astype(np.float32),
        "aspect": shard["aspect"][scene].astype(np.float32),
    }


@dataclass
class Examples:
    """Arrays with the examples first.

    Objects in view are moved to the front; `count` [E] is their number.
    """

    arrays: dict[str, np.ndarray]
    count: np.ndarray
    world: np.ndarray
    """[E] 0 table-top, 1 street."""

    @property
    def size(self) -> int:
        """Number of examples."""
        return len(self.count)

    def groups(self) -> list[np.ndarray]:
        """Indices by number of objects, 1–4, 5–6, 7–8, so that batches of a group need little padding."""
        bounds = [(1, 4), (5, 6), (7, THINGS)]
        found = [np.flatnonzero((self.count >= low) & (self.count <= high)) for low, high in bounds]
        return [group for group in found if len(group)]

    def pick(self, rng: np.random.Generator, groups: list[np.ndarray], batch: int) -> np.ndarray:
        """Draw a batch from one group, with probability proportional to the size of the group."""
        sizes = np.array([len(group) for group in groups])
        group = groups[rng.choice(len(groups), p=sizes / sizes.sum())]
        return group[rng.integers(len(group), size=batch)]

    def rows(self, index: np.ndarray, per_thing: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
        """Examples as tensors, cut to the largest number of objects; `per_thing` names the object axes of each array."""
        largest = int(self.count[index].max())
        tensors = {}
        for name, values in self.arrays.items():
            rows = values[index]
            for axis in per_thing.get(name, ()):
                rows = np.take(rows, range(largest), axis=axis)
            tensor = torch.from_numpy(rows)
            tensors[name] = tensor.float() if rows.dtype in (np.float16, np.float32, np.bool_) else tensor.long()
        return tensors


def together(groups: list[Examples]) -> Examples:
    """Concatenate examples."""
    arrays = {name: np.concatenate([group.arrays[name] for group in groups]) for name in groups[0].arrays}
    count = np.concatenate([group.count for group in groups])
    return Examples(arrays, count, np.concatenate([group.world for group in groups]))


def front(arrays: dict[str, np.ndarray], per_thing: dict[str, tuple[int, ...]], world: np.ndarray) -> Examples:
    """Move objects that are in view within the window to the front, in order; drop examples without any."""
    there = arrays["seen"].any(2)
    order = np.argsort(~there, axis=1, kind="stable")
    moved = {}
    for name, values in arrays.items():
        for axis in per_thing.get(name, ()):
            shape = [1] * values.ndim
            shape[0], shape[axis] = order.shape
            values = np.take_along_axis(values, order.reshape(shape), axis)
        moved[name] = values
    count = there.sum(1)
    kept = count > 0
    return Examples({name: values[kept] for name, values in moved.items()}, count[kept], world[kept])


def mirror(rows: dict[str, Tensor], flipped: Tensor) -> None:
    """Exchange left and right in the examples where `flipped` [B] is set."""
    aspect, boxes = rows["aspect"], rows["boxes"]
    turned = aspect[:, None, None] - boxes[..., 0] - boxes[..., 2]
    x = torch.where(flipped[:, None, None], turned, boxes[..., 0]) * rows["seen"]
    rows["boxes"] = torch.cat([x[..., None], boxes[..., 1:]], -1)


def roughen(rows: dict[str, Tensor], rng: np.random.Generator) -> None:
    """Augment with further tracking errors: histories that begin late and boxes with jitter, for some of the objects."""
    seen, boxes = rows["seen"], rows["boxes"]
    batch, things, steps = seen.shape
    begin = torch.from_numpy(rng.integers(0, steps - 8, (batch, things)) * (rng.random((batch, things)) < 0.15))
    late = torch.arange(steps) >= begin[..., None]
    rows["seen"] = seen * late
    rows["age"] = torch.where(begin > 0, torch.minimum(rows["age"], (steps - 1 - begin) / HZ), rows["age"])
    shaken = torch.from_numpy((rng.random((batch, things, 1, 1)) < 0.2) * rng.uniform(0, 0.03, (batch, things, 1, 1))).float()
    height = boxes[..., 3:]
    rows["boxes"] = (boxes + torch.randn_like(boxes) * shaken * height) * rows["seen"][..., None]
