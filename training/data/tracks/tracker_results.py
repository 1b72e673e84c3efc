"""Results of `presage analyze` on rendered videos, matched with the true boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

MIN_IOU = 0.35
"""Boxes with a smaller overlap are not matched."""


def load(truth_path: Path, result_path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the true and the tracked boxes by id at 10 Hz, in frame heights.

    Tracked objects in the state `hidden` are left out.
    """
    truth = json.loads(truth_path.read_text())
    width, height, fps = truth["width"], truth["height"], truth["fps"]
    ours: dict[int, dict[str, Any]] = {}
    for line in result_path.read_text().splitlines():
        message = json.loads(line)
        if message["type"] == "presage.objects.updated.v1":
            shown = [o for o in message["data"]["objects"] if o.get("state") != "hidden"]
            frame = round(message["mediatime"] * fps)
            ours[frame] = {o["id"]: np.array(o["box"]) * (width / height, 1, width / height, 1) for o in shown}
    last = max(map(int, truth["boxes"]))
    frames = [min(last, round(k * fps / 10)) for k in range(int(last / fps * 10) + 1)]
    true = [{i: np.array(b) / height for i, b in truth["boxes"].get(str(f), {}).items()} for f in frames]
    return true, [ours.get(f, {}) for f in frames]


def match(true: dict[str, Any], ours: dict[str, Any]) -> dict[str, str]:
    """Return {true id: tracked id}, one to one, best overlap first."""
    if not true or not ours:
        return {}
    ids, names = list(true), list(ours)
    shared = overlaps(np.array([true[i] for i in ids]), np.array([ours[n] for n in names]))
    found: dict[str, str] = {}
    for flat in np.argsort(-shared, axis=None):
        i, j = np.unravel_index(flat, shared.shape)
        if shared[i, j] < MIN_IOU:
            break
        if ids[i] not in found and names[j] not in found.values():
            found[ids[i]] = names[j]
    return found


def tracked(true: list[dict[str, Any]], ours: list[dict[str, Any]]) -> float:
    """Share of matched boxes among all true and tracked boxes, 0 to 1."""
    matched = sum(len(match(a, b)) for a, b in zip(true, ours, strict=True))
    return matched / max(1, sum(map(len, true)) + sum(map(len, ours)) - matched)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU [n, m] of boxes [n, 4] and [m, 4]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = (high - low).clip(0).prod(-1)
    return shared / np.maximum(a[:, 2:].prod(-1)[:, None] + b[:, 2:].prod(-1)[None] - shared, 1e-9)
