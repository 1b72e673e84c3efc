"""Boxes, points and target masks from cached keyframes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.data.pixels.features import Keyframe, load_keyframes
from training.models.object_heads import MASK_SIDE, enlarge

MIN_VISIBLE_PX = 40
MIN_VISIBLE_SHARE = 0.25
TARGET_SAMPLES = 2


@dataclass
class View:
    """A keyframe and its sufficiently visible objects."""

    frame: Keyframe

    @cached_property
    def things(self) -> tuple[np.ndarray, np.ndarray]:
        """Ids [N] and tight boxes [N, 4] (x, y, w, h, px) of the objects."""
        ids, found, boxes = self.frame.ids, [], []
        for number, whole in self.frame.whole.items():
            mask = ids == number
            columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
            area = int(mask.sum())
            if area < MIN_VISIBLE_PX or area < MIN_VISIBLE_SHARE * whole:
                continue
            found.append(number)
            boxes.append([columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]])
        return np.array(found, np.int64), np.array(boxes, np.float32).reshape(-1, 4)

    @property
    def extent(self) -> np.ndarray:
        """Width and height in px, float32 [2]."""
        height, width = self.frame.ids.shape
        return np.array([width, height], np.float32)


def views_of(files: list[Path]) -> list[View]:
    """Views of all keyframes of cached scenes."""
    return [View(frame) for path in files for frame in load_keyframes(path)]


def jitter(rng: np.random.Generator, boxes: np.ndarray, amount: float) -> np.ndarray:
    """Add detector noise to boxes: edges off by `amount` of the size (standard deviation), thrice that in 15 % of the boxes."""
    spread = amount * np.where(rng.random((len(boxes), 1)) < 0.15, 3, 1)
    shift = np.clip(rng.normal(0, 1, boxes.shape) * spread, -0.35, 0.35) * boxes[:, [2, 3, 2, 3]]
    low, high = boxes[:, :2] + shift[:, :2], boxes[:, :2] + boxes[:, 2:] + shift[:, 2:]
    return np.concatenate([low, np.maximum(high - low, 4)], 1).astype(np.float32)


def pick_points(rng: np.random.Generator, view: View, numbers: np.ndarray, share: float) -> np.ndarray:
    """Return [N, 3]: a pixel of the object as a fraction of the frame and 1, for `share` of the objects, else zeros."""
    points = np.zeros((len(numbers), 3), np.float32)
    for row, number in enumerate(numbers):
        if rng.random() < share:
            rows, columns = np.nonzero(view.frame.ids == number)
            at = rng.integers(len(rows))
            points[row] = [*((np.array([columns[at], rows[at]]) + 0.5) / view.extent), 1]
    return points


def target_masks(view: View, numbers: np.ndarray, boxes: Tensor, samples: int = TARGET_SAMPLES) -> Tensor:
    """Return [N, S, S], S = MASK_SIDE * samples: whether each sample point of the enlarged boxes is on the object."""
    corners = enlarge(boxes).numpy() * np.tile(view.extent, 2)
    steps = (np.arange(MASK_SIDE * samples) + 0.5) / (MASK_SIDE * samples)
    x = np.floor(corners[:, :1] + (corners[:, 2:3] - corners[:, :1]) * steps).astype(int)
    y = np.floor(corners[:, 1:2] + (corners[:, 3:4] - corners[:, 1:2]) * steps).astype(int)
    height, width = view.frame.ids.shape
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    read = view.frame.ids[y.clip(0, height - 1)[:, :, None], x.clip(0, width - 1)[:, None, :]]
    return torch.from_numpy(((read == numbers[:, None, None]) & inside).astype(np.float32))


def tensors(frame: Keyframe) -> tuple[tuple[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor], Tensor]:
    """Maps [1, 128, ...] float32, planes [1, 1, ...] uint8 and covered [2], as the exported model takes them."""
    maps = tuple(torch.from_numpy(frame.maps[name].astype(np.float32))[None] for name in ("p3", "p4", "p5"))
    planes = tuple(torch.from_numpy(frame.planes[name])[None, None] for name in "yuv")
    return maps, planes, torch.from_numpy(frame.maps["covered"])


def fractions(view: View, boxes: np.ndarray) -> Tensor:
    """Boxes [N, 4] in px as fractions of the frame."""
    return torch.from_numpy(boxes / np.tile(view.extent, 2)).float()
