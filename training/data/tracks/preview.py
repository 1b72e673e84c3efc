"""Contact sheet of scenes of a shard: paths of the true boxes, observed tracks, and events."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.data.tracks import labels
from training.worlds.tracks.events import COLLIDE, EVENT_TYPES

HEIGHT = 300  # px of a tile
TILES = 12
COLOURS = (
    (80, 80, 255),
    (80, 220, 80),
    (255, 120, 60),
    (40, 200, 255),
    (255, 80, 220),
    (200, 200, 60),
    (160, 120, 255),
    (180, 180, 180),
)


def tile(shard: dict[str, np.ndarray], index: int) -> np.ndarray:
    """One scene: boxes at three moments, thin if true, thick if observed; dots are contacts."""
    width = int(HEIGHT * shard["aspect"][index])
    picture = np.full((HEIGHT + 92, 560, 3), 24, np.uint8)
    picture[:HEIGHT, :width] = 60
    true, seen = shard["true_boxes"][index].astype(float) * HEIGHT, shard["true_seen"][index]
    ours, ours_seen = shard["boxes"][index].astype(float) * HEIGHT, shard["seen"][index]
    for n in range(8):
        colour = COLOURS[n]
        upright = shard["kind"][index, n] in (0, 2)
        for boxes, there, thick in ((true, seen, 1), (ours, ours_seen, 2)):
            spot = boxes[:, n, :2] + boxes[:, n, 2:] * (0.5, 1.0 if upright else 0.5)
            if thick == 2:
                spot = spot + 1
            for k in range(1, 100):
                if there[k, n] and there[k - 1, n]:
                    shade = tuple(int(c * (0.4 + 0.006 * k)) for c in colour)
                    cv2.line(picture, *(tuple(int(v) for v in spot[j]) for j in (k - 1, k)), shade, 1, cv2.LINE_AA)
            for k in (20, 55, 90):
                if there[k, n]:
                    x, y, w, h = (int(v) for v in boxes[k, n])
                    shade = tuple(int(c * (0.4 + 0.006 * k)) for c in colour)
                    cv2.rectangle(picture, (x, y), (x + w, y + h), shade, thick)
                    cv2.putText(picture, str(n), (x + 2, y + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.35, shade, 1, cv2.LINE_AA)
    _text(picture, shard, index, true)
    return picture


def _text(picture: np.ndarray, shard: dict[str, np.ndarray], index: int, true: np.ndarray) -> None:
    mine = np.where(shard["ev_scene"] == index)[0]
    words = [f"{labels.WORLDS[shard['world'][index]]}"]
    for e in mine:
        kind, a, b = int(shard["ev_type"][e]), int(shard["ev_a"][e]), int(shard["ev_b"][e])
        need = np.where(shard["necessary"][e] == 1)[0]
        who = f"{a}" if b < 0 else f"{a}{b}"
        words.append(f"{shard['ev_t'][e]:.1f} {EVENT_TYPES[kind]} {who}" + (f" <{','.join(map(str, need))}" if len(need) else ""))
        if kind == COLLIDE:
            x, y, w, h = true[min(99, int(round(shard["ev_t"][e] * 10))), a]
            cv2.circle(picture, (int(x + w / 2), int(y + h / 2)), 4, (0, 0, 255), -1)
    line, y = "", HEIGHT + 14
    for word in words:
        if len(line) + len(word) > 84:
            cv2.putText(picture, line, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (230, 230, 230), 1, cv2.LINE_AA)
            line, y = "", y + 14
        line += word + "; "
    cv2.putText(picture, line, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (230, 230, 230), 1, cv2.LINE_AA)


def write_preview(shard_path: Path, target: Path, count: int = TILES) -> None:
    """Draw `count` scenes, half of them from each world if both are there."""
    with np.load(shard_path) as stored:
        shard = {name: stored[name] for name in stored.files}
    chosen = [i for world in (0, 1) for i in np.where(shard["world"] == world)[0][: count // 2]]
    tiles = [tile(shard, int(i)) for i in chosen]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 3)
    rows = [np.hstack(tiles[i : i + 3]) for i in range(0, len(tiles), 3)]
    if not cv2.imwrite(str(target), np.vstack(rows)):
        raise SystemExit(f"cannot write {target}")
