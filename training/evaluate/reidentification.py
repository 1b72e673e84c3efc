"""Re-identification by appearance embeddings on a labelled recording (MOTChallenge boxes), for evaluation only.

python -m training.evaluate.reidentification VIDEO GT.txt --work WORK
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch

from training.data.pixels.features import Keyframe
from training.data.pixels.pyramid import Pyramid, planes_of
from training.data.pixels.samples import View
from training.export.cli import load_heads
from training.train.stages.embeddings import describers, observe, rank
from training.worlds.pixels.street import STEP_HZ


def labelled_views(video: Path, truth: Path, every: int) -> list[View]:
    """Every `every`-th frame with its boxes; the index counts quarters of a second."""
    rows = np.loadtxt(truth, delimiter=",", usecols=range(7))
    source, pyramid, views = cv2.VideoCapture(str(video)), Pyramid(), []
    hz = source.get(cv2.CAP_PROP_FPS)
    for number in range(1, int(source.get(cv2.CAP_PROP_FRAME_COUNT)) + 1):
        picture = source.read()[1]
        boxes = rows[(rows[:, 0] == number) & (rows[:, 6] > 0)]
        if picture is None or (number - 1) % every or not len(boxes):
            continue
        planes = planes_of(picture)
        ids = np.zeros(picture.shape[:2], np.uint8)
        view = View(Keyframe(video.stem, round(number / hz * STEP_HZ), planes, pyramid(planes), ids, {}))
        # Replaces the cached property: the boxes come from the labels, not from a mask.
        view.things = boxes[:, 1].astype(np.int64), boxes[:, 2:6].astype(np.float32)
        views.append(view)
    return views


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--every", type=int, default=10, help="use every n-th frame")
    options = parser.parse_args()
    torch.set_num_threads(1)
    heads = load_heads(options.work)
    scene = observe(heads, labelled_views(options.video, options.truth, options.every), 1, 0.0)
    with torch.no_grad():
        print(json.dumps({name: rank([scene], function) for name, function in describers(heads).items()}, indent=1))


if __name__ == "__main__":
    main()
