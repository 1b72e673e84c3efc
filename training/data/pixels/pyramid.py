"""Feature maps of the frozen detector, computed as at run time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from training.paths import ROOT

LONG_SIDE_PX = 416
CANVAS_STEP_PX = 32
GRID_ROWS, GRID_COLUMNS = 6, 8


def planes_of(picture: np.ndarray) -> dict[str, np.ndarray]:
    """I420 planes (BT.601, limited range) of a BGR picture with even sides: y [h, w], u and v [h/2, w/2], uint8."""
    height, width = picture.shape[:2]
    flat = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    half = (height // 2, width // 2)
    split = np.split(flat, [height * width, height * width + half[0] * half[1]])
    return {"y": split[0].reshape(height, width), "u": split[1].reshape(half), "v": split[2].reshape(half)}


def letterbox(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return content and canvas, each int64 [height, width] in px, as `src/model/detector/letterbox.ts` chooses them."""
    scale = LONG_SIDE_PX / max(height, width)
    content = np.array([max(1, int(side * scale + 0.5)) for side in (height, width)], np.int64)
    return content, -(-content // CANVAS_STEP_PX) * CANVAS_STEP_PX


class Pyramid:
    """Runs models/nanodet.onnx on one thread."""

    def __init__(self, path: Path = ROOT / "models" / "nanodet.onnx"):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, planes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return p3, p4, p5 float32 [128, H/8.., W/8..] and covered float32 [2] (share of the width, of the height)."""
        content, canvas = letterbox(*planes["y"].shape)
        feed = {name: planes[name][None, None] for name in "yuv"} | {"content": content, "canvas": canvas}
        p3, p4, p5 = self.session.run(["p3", "p4", "p5"], feed)
        covered = (content / canvas)[::-1].astype(np.float32)
        return {"p3": p3[0], "p4": p4[0], "p5": p5[0], "covered": covered}


def bins(cells: int, covered: float, count: int) -> np.ndarray:
    """Weights [count, cells] that average each of `count` equal spans of the first `covered * cells` cells."""
    edges = np.linspace(0, covered * cells, count + 1)
    start = np.arange(cells)
    shared = np.minimum(edges[1:, None], start + 1) - np.maximum(edges[:-1, None], start)
    shared = shared.clip(0)
    return (shared / shared.sum(1, keepdims=True)).astype(np.float32)


def grid_of(maps: dict[str, np.ndarray]) -> np.ndarray:
    """P4 and P5 averaged over 6 rows x 8 columns of the covered picture, row by row: float32 [48, 256]."""
    columns, rows = maps["covered"]
    levels = []
    for name in ("p4", "p5"):
        _, height, width = maps[name].shape
        pooled = bins(height, rows, GRID_ROWS) @ maps[name] @ bins(width, columns, GRID_COLUMNS).T
        levels.append(pooled.reshape(pooled.shape[0], -1).T)
    return np.concatenate(levels, 1)
