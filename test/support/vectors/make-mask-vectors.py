"""Makes test/unit/core/image/mask-vectors.json: drawn masks and what pycocotools encodes them to.

usage: pip install numpy pycocotools; python make-mask-vectors.py OUT.json
"""
import json
import sys

import numpy as np
from pycocotools import mask as coco


def ellipse(height, width, cy, cx, ry, rx):
    y, x = np.mgrid[:height, :width]
    return ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 <= 1


def drawings():
    rng = np.random.default_rng(7)
    yield "empty", np.zeros((5, 7), bool)
    yield "full", np.ones((5, 7), bool)
    yield "first pixel", np.eye(1, 12, dtype=bool).reshape(3, 4)
    yield "last pixel", np.eye(1, 12, dtype=bool).reshape(3, 4)[::-1, ::-1]
    yield "full columns", np.tile(np.array([0, 1, 1, 0, 1], bool), (6, 1))
    yield "checkers", np.indices((9, 8)).sum(0) % 2 == 0
    yield "noise", rng.random((23, 31)) < 0.4
    yield "ellipse", ellipse(120, 160, 61.5, 70.2, 40, 21)
    yield "ring at the border", ellipse(90, 70, 2, 69, 60, 40) & ~ellipse(90, 70, 2, 69, 40, 25)
    yield "long runs", ellipse(576, 768, 300, 400, 280, 390)


def main(out):
    vectors = []
    for name, drawing in drawings():
        encoded = coco.encode(np.asfortranarray(drawing.astype(np.uint8)))
        rows = ["".join("#" if p else "." for p in row) for row in drawing] if drawing.size < 20_000 else None
        vectors.append({
            "name": name,
            "size": [int(side) for side in encoded["size"]],
            "counts": encoded["counts"].decode(),
            "area": int(coco.area(encoded)),
            "rows": rows,
        })
    with open(out, "w") as file:
        json.dump(vectors, file, indent=0)
        file.write("\n")


main(sys.argv[1])
