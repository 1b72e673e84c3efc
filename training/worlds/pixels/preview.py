"""Contact sheet of rendered scenes: a few frames of each with boxes and collisions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

TILE = (320, 220)
MOMENTS = (0.1, 0.35, 0.6, 0.85)
SOON = 0.3  # s around a collision in which its two bodies are drawn in red


def _tile(picture: np.ndarray, boxes: dict[str, Any], truth: dict[str, Any], t: float) -> np.ndarray:
    hot = {i for e in truth["events"] if e["type"] == "collision" and abs(e["t"] - t) < SOON for i in e["objects"]}
    for i, (x, y, w, h) in boxes.items():
        colour = (0, 0, 255) if int(i) in hot else (0, 255, 0)
        cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), colour, 1)
        cv2.putText(picture, i, (x, max(y - 2, 8)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    tile = cv2.resize(picture, TILE, interpolation=cv2.INTER_AREA)
    cv2.putText(tile, f"s{truth['seed']} {t:.1f}s", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def write_preview(folder: Path, seeds: list[int], target: Path) -> None:
    """Draw one row for each seed that has a video. The last tile shows the first collision if there is one."""
    rows = []
    for seed in seeds:
        truth = json.loads((folder / f"s{seed}.json").read_text())
        video = cv2.VideoCapture(str(folder / f"s{seed}.mp4"))
        at = [int(m * truth["frames"]) for m in MOMENTS]
        hits = [e["t"] for e in truth["events"] if e["type"] == "collision"]
        at += [min(int(round(hits[0] * truth["fps"])), truth["frames"] - 1)] if hits else []
        tiles = []
        for k in at:
            video.set(cv2.CAP_PROP_POS_FRAMES, k)
            ok, picture = video.read()
            if ok:
                tiles.append(_tile(picture, truth["boxes"][str(k)], truth, k / truth["fps"]))
        blank = np.zeros((TILE[1], TILE[0], 3), np.uint8)
        if tiles:
            rows.append(np.hstack(tiles + [blank] * (len(MOMENTS) + 1 - len(tiles))))
    if not rows:
        raise SystemExit("no videos to draw a preview of")
    if not cv2.imwrite(str(target), np.vstack(rows)):
        raise SystemExit(f"cannot write {target}")
