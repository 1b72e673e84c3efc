"""Fits the model of tracking errors to the results of the tracker on rendered scenes.

    python -m training.train.track_noise --tabletop TRUTH RESULTS [--street TRUTH RESULTS]

TRUTH holds sSEED.json as the rendered worlds write them, RESULTS sSEED.jsonl as `presage analyze` writes them for the videos.
Writes
training/worlds/tracks/noise.json: errors of each edge of a box in shares of the box (constant, white, and slow with a memory
per
sample of 0.1 s), misses, late births, early deaths, broken tracks, objects that are never tracked, ghost tracks, and errors of
contacts. Scenes differ more from each other than the objects in one scene, so they are sorted by tracking quality and fitted in
three levels, from best to worst.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from training.data.tracks.tracker_results import load, match, tracked
from training.train.contact_noise import ContactCounts
from training.worlds.tracks.noise import PARAMETERS

LEVELS = 3
MIN_LIFE = 10  # samples for which an object must be visible to count as missed
VARIATION = 1.33  # root mean square of the factors by which the model varies the errors of scenes and objects
ABSOLUTE = 0.0012  # frame heights; the error that does not grow with the box


class Counts:
    """Sums of tracking errors over scenes."""

    def __init__(self) -> None:
        self.series: list[np.ndarray] = []
        self.biases: list[np.ndarray] = []
        self.late: list[float] = []
        self.death: list[float] = []
        self.misses, self.chances, self.stays, self.gone = 0, 0, 0, 0
        self.breaks, self.samples, self.never, self.things = 0, 0, 0, 0
        self.rested, self.blind, self.scenes_blind = 0, 0, 0
        self.ghosts, self.scenes = 0, 0

    def add(self, true: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
        """Add a scene: true and tracked boxes by id, one dictionary per sample."""
        self.scenes += 1
        shown = [match(a, b) for a, b in zip(true, ours, strict=True)]
        rested, blind = self.rested, self.blind
        for thing in sorted({i for row in true for i in row}):
            self._thing(thing, true, ours, shown)
        if self.rested - rested >= 2 and self.blind - blind == self.rested - rested:  # all of them: a property of the scene
            self.scenes_blind += 1
            self.rested, self.blind = rested, blind
        lives: dict[str, list[bool]] = {}
        for row, taken in zip(ours, shown, strict=True):
            for name in row:
                lives.setdefault(name, []).append(name in taken.values())
        self.ghosts += any(len(life) >= 5 and not any(life) for life in lives.values())

    def _thing(self, thing: str, true: list[dict[str, Any]], ours: list[dict[str, Any]], shown: list[dict[str, Any]]) -> None:
        there = np.array([thing in row for row in true])
        names = [row.get(thing) for row in shown]
        seen = np.array([name is not None for name in names])
        if there.sum() < MIN_LIFE:
            return
        if rests_at_first(thing, true):
            self.rested += 1
            self.blind += not seen[:20].any()
        else:
            self.things += 1
            self.never += not seen.any()
        if not seen.any():
            return
        first, last = int(np.argmax(seen)), len(seen) - 1 - int(np.argmax(seen[::-1]))
        if not there[0]:
            self.late.append((first - int(np.argmax(there))) / 10)
        final = len(there) - 1 - int(np.argmax(there[::-1]))
        if final < len(there) - 1:
            self.death.append(max(0, final - last) / 10)
        self._misses(there[first : last + 1], seen[first : last + 1])
        known = [name for name in names if name]
        self.breaks += sum(a != b for a, b in pairwise(known))
        self.samples += len(known)
        errors: list[np.ndarray] = []
        for k in range(first, last + 1):
            name = names[k]
            if name is not None and (not errors or name == names[k - 1]):
                a, b = true[k][thing], ours[k][name]
                size = np.sqrt(a[2] * a[3])
                errors.append(np.r_[b[:2] - a[:2], b[:2] + b[2:] - a[:2] - a[2:]] / size)
            else:
                self._keep(errors)
                errors = []
        self._keep(errors)

    def _keep(self, errors: list[np.ndarray]) -> None:
        if len(errors) >= 8:
            clipped = np.clip(np.array(errors), -0.4, 0.4)
            middle = np.median(clipped, 0)
            self.biases.append(middle)
            self.series.append(clipped - middle)

    def _misses(self, there: np.ndarray, seen: np.ndarray) -> None:
        for k in range(1, len(there)):
            if not there[k]:
                continue
            if seen[k - 1]:
                self.chances += 1
                self.misses += not seen[k]
            elif there[k - 1]:
                self.gone += 1
                self.stays += not seen[k]

    def parameters(self, before: dict[str, float]) -> dict[str, float]:
        """Return the measured values; values that were not measured are those of `before`."""
        lags = [np.concatenate([(s[lag:] * s[: len(s) - lag]).ravel() for s in self.series if len(s) > lag]) for lag in range(4)]
        g0, g1, _, g3 = (float(np.mean(np.clip(x, *np.quantile(x, [0.005, 0.995])))) for x in lags)
        memory = float(np.clip((max(g3, 1e-9) / max(g1, 1e-9)) ** 0.5, 0.3, 0.98))
        slow = min(g1 / memory, g0 * 0.98)
        fitted = dict(
            white=ABSOLUTE / 2,
            white_share=np.sqrt(max(g0 - slow, 1e-6)) / VARIATION,
            slow=ABSOLUTE / 2,
            slow_share=np.sqrt(slow) / VARIATION,
            memory=memory,
            miss=self.misses / max(1, self.chances),
            miss_stays=self.stays / max(1, self.gone),
            coast=0.1,
            bias_share=robust(self.biases),
            min_late_s=float(np.quantile(self.late, 0.25)),
            late_s=max(0.02, float(np.mean(np.clip(self.late, 0, 2)) - np.quantile(self.late, 0.25))),
            never=self.never / max(1, self.things),
            death_s=float(np.mean(np.clip(self.death, 0, 1))) if self.death else before["death_s"],
            ghosts=self.ghosts / max(1, self.scenes),
            blind=self.blind / max(1, self.rested),
            only_moving=self.scenes_blind / max(1, self.scenes),
        )
        fitted["break"] = 10 * self.breaks / max(1, self.samples)
        return before | {name: round(float(value), 5) for name, value in fitted.items()}


def rests_at_first(thing: str, true: list[dict[str, Any]]) -> bool:
    """Whether the object is visible from the start and does not move for 2 s."""
    if not all(thing in row for row in true[:20]):
        return False
    boxes = np.array([row[thing] for row in true[:20]])
    return bool(np.ptp(boxes[:, :2] + boxes[:, 2:] / 2, axis=0).max() < 0.08 * np.sqrt(boxes[0, 2] * boxes[0, 3]))


def robust(values: list[np.ndarray]) -> float:
    """Standard deviation estimated from the median of the absolute values."""
    return float(1.48 * np.median(np.abs(np.array(values))))


def fit_levels(truths: Path, results: Path, before: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Return the parameters of the best, middle and worst tracked scenes, and the number of scenes."""
    paths = [path for path in sorted(results.glob("s*.jsonl")) if (truths / f"{path.stem}.json").exists()]
    scenes = [(*load(truths / f"{path.stem}.json", path), path) for path in paths]
    scenes.sort(key=lambda scene: -tracked(*scene[:2]))
    levels, every = [], ContactCounts()
    contacts = [ContactCounts() for _ in range(LEVELS)]
    for level in range(LEVELS):
        counts = Counts()
        for true, ours, path in scenes[level * len(scenes) // LEVELS : (level + 1) * len(scenes) // LEVELS]:
            counts.add(true, ours)
            for sums in (contacts[level], every):
                sums.add(truths / f"{path.stem}.json", path, [match(a, b) for a, b in zip(true, ours, strict=True)], ours)
        levels.append(counts.parameters(before[min(level, len(before) - 1)]))
    fitted = [levels[k] | every.parameters() | contacts[k].parameters() for k in range(LEVELS)]
    return fitted, len(scenes)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for world in ("tabletop", "street"):
        parser.add_argument(f"--{world}", type=Path, nargs=2, metavar=("TRUTH", "RESULTS"))
    options = parser.parse_args()
    target = PARAMETERS
    noise = json.loads(target.read_text())
    for world in ("tabletop", "street"):
        folders = getattr(options, world)
        if folders:
            noise[world], count = fit_levels(folders[0], folders[1], noise[world])
            noise["fitted"][world] = f"{count} rendered scenes"
            print(world, json.dumps(noise[world], indent=1))
    target.write_text(json.dumps(noise, indent=2) + "\n")


if __name__ == "__main__":
    main()
