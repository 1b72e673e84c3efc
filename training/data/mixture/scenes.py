"""Simulated scenes as lines of JSON for `collect.ts`.

    python -m training.data.mixture.scenes SHARDS OUT.jsonl [--scenes N]

SHARDS is a folder of `tracks-*.npz` (`python -m training.data tracks`). Boxes are in frame heights, times in s.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LABELS = ["person", "car", "dog", "object"]
"""Label of each kind: person, vehicle, animal, other."""


def scenes(shard: Path) -> Iterator[dict[str, Any]]:
    """Each scene of a shard: observed tracks, and the truth about its first moment and its events."""
    data = {name: array for name, array in np.load(shard).items()}
    for s in range(len(data["aspect"])):
        events = np.flatnonzero(data["ev_scene"] == s)
        yield {
            "aspect": float(data["aspect"][s]),
            "labels": [LABELS[kind] if kind >= 0 else None for kind in data["kind"][s]],
            "observed": framed(data["boxes"][s], data["seen"][s]),
            "true": framed(data["true_boxes"][s], data["true_seen"][s]),
            "moment": round(float(data["moment"][s, 0]), 1),
            "single": plain(data["single"][s, 0].astype(np.float64).sum(-1)),
            "pair": plain(data["pair"][s, 0].astype(np.float64).sum(-1)),
            "events": [event(data, int(e)) for e in events],
        }


def event(data: dict[str, np.ndarray], e: int) -> dict[str, Any]:
    """One true event."""
    return {
        "type": int(data["ev_type"][e]),
        "objects": [int(o) for o in (data["ev_a"][e], data["ev_b"][e]) if o >= 0],
        "t": round(float(data["ev_t"][e]), 3),
        "necessary": [int(n) for n in data["necessary"][e]],
    }


def framed(boxes: np.ndarray, seen: np.ndarray) -> list[list[list[float]]]:
    """Objects in view by frame: number, x, y, w, h."""
    return [[[int(o), *(round(float(v), 5) for v in boxes[k, o])] for o in np.flatnonzero(seen[k])] for k in range(len(boxes))]


def plain(values: np.ndarray) -> list[Any]:
    """Nested lists, null where a value is unknown."""
    return json.loads(json.dumps(np.round(values, 5).tolist()).replace("NaN", "null"))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", type=int, default=3000)
    args = parser.parse_args()
    left = args.scenes
    with args.out.open("w") as out:
        for shard in sorted(args.shards.glob("tracks-*.npz")):
            for scene in scenes(shard):
                if left == 0:
                    return
                left -= 1
                out.write(json.dumps(scene) + "\n")


if __name__ == "__main__":
    main()
