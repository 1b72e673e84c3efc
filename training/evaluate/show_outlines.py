"""Draws the results of the exported object heads on frames of a recording: detections, outlines, predicted quality.

python -m training.evaluate.show_outlines examples/pedestrians.mp4 --out sheet.png
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from training.data.pixels.pyramid import Pyramid, letterbox, planes_of
from training.paths import ROOT

STRIDES = (8, 16, 32)
SCORE_FLOOR, NMS_IOU = 0.35, 0.6


def detect(pyramid: Pyramid, planes: dict[str, np.ndarray]) -> np.ndarray:
    """Detected boxes [N, 4] (x, y, w, h) as fractions of the frame."""
    content, canvas = letterbox(*planes["y"].shape)
    feed = {name: planes[name][None, None] for name in "yuv"} | {"content": content, "canvas": canvas}
    scores, sides = pyramid.session.run(["scores", "boxes"], feed)
    centres = []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : canvas[0] // stride, 0 : canvas[1] // stride]
        centres.append(np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], 1) * stride)
    at = np.concatenate(centres)
    corners = np.concatenate([at - sides[0, :, :2], at + sides[0, :, 2:]], 1).clip(0, np.tile(content[::-1], 2))
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
    best = scores[0].max(1)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), best.tolist(), SCORE_FLOOR, NMS_IOU)
    return (boxes[np.array(kept, int).ravel()] / np.tile(content[::-1], 2)).astype(np.float32)


class Objects:
    """Runs models/objects.onnx on one thread."""

    def __init__(self, path: Path = ROOT / "models" / "objects.onnx"):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(
        self, maps: dict[str, Any], planes: dict[str, Any], boxes: np.ndarray, points: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """Return masks, quality, embeddings and grid."""
        points = np.zeros((len(boxes), 3), np.float32) if points is None else points
        feed = {name: maps[name][None] for name in ("p3", "p4", "p5")} | {name: planes[name][None, None] for name in "yuv"}
        return self.session.run(None, feed | {"covered": maps["covered"], "boxes": boxes, "points": points})


def paste(mask: np.ndarray, box: np.ndarray, margin: float, height: int, width: int) -> np.ndarray:
    """Mask on its grid, resampled to the frame: bool [height, width]."""
    x, y, w, h = box * [width, height, width, height]
    side = mask.shape[0]
    steps_x, steps_y = w * (1 + margin) / side, h * (1 + margin) / side
    matrix = np.array(
        [[steps_x, 0, x - w * margin / 2 + steps_x / 2 - 0.5], [0, steps_y, y - h * margin / 2 + steps_y / 2 - 0.5]],
        np.float32,
    )
    return cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR) > 0.5


def main() -> None:
    """Run the command line."""
    from training.models.object_heads import MARGIN

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--zoom", type=int, default=2)
    parser.add_argument("--out", default="sheet.png")
    options = parser.parse_args()
    pyramid, objects, video = Pyramid(), Objects(), cv2.VideoCapture(str(options.video))
    count, tiles = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), []
    for index in np.linspace(0, count - 1, options.frames).astype(int):
        video.set(cv2.CAP_PROP_POS_FRAMES, int(index))
        picture = video.read()[1]
        planes = planes_of(picture)
        boxes = detect(pyramid, planes)
        masks, quality, *_ = objects(pyramid(planes), planes, boxes)
        size = (picture.shape[1] * options.zoom, picture.shape[0] * options.zoom)
        drawn = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        for mask, box, predicted in zip(masks, boxes, quality, strict=True):
            on = paste(mask, box, MARGIN, size[1], size[0]).astype(np.uint8)
            cv2.drawContours(drawn, cv2.findContours(on, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], -1, (0, 255, 255), 1)
            corner = (box[:2] * size).astype(int)
            cv2.rectangle(drawn, corner, ((box[:2] + box[2:]) * size).astype(int), (255, 120, 0), 1)
            cv2.putText(drawn, f"{predicted:.2f}", corner, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
        tiles.append(drawn)
    cv2.imwrite(options.out, np.vstack(tiles))


if __name__ == "__main__":
    main()
