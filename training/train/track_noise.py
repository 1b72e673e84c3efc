"""Fits the noise model of the tracks to what our tracker gave of rendered scenes.

python -m training.train.track_noise --tabletop TRUTH RESULTS [--street TRUTH RESULTS]

TRUTH holds sSEED.json as the worlds write them, RESULTS sSEED.jsonl as `presage analyze` writes them of the videos. Writes
training/worlds/tracks/noise.json: for each edge of a box an error in shares of the box (constant, white, and slow with a memory a
sample of 0.1 s), misses, late births, early deaths, tracks that break, things never seen and things that are not there; and how
contacts are told. Scenes differ more from each other than the things in one, so they are sorted by how well they were tracked
and fitted in three parts, from well to badly.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from training.train.contact_noise import ContactCounts
from training.worlds.tracks.noise import PARAMETERS

LEVELS = 3
LEAST_IOU = 0.35
LEAST_LIFE = 10  # samples for which a thing must be in sight to count as missed
VARIES = 1.33  # root mean square of the factors by which the model varies the errors of scenes and things
ABSOLUTE = 0.0012  # frame heights; the part of the errors that does not grow with the box


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of boxes [n, 4] and [m, 4]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = (high - low).clip(0).prod(-1)
    return shared / np.maximum(a[:, 2:].prod(-1)[:, None] + b[:, 2:].prod(-1)[None] - shared, 1e-9)


def load(truth_path: Path, result_path: Path) -> tuple[list[dict], list[dict]]:
    """Boxes by id at 10 Hz, in frame heights: true ones and ours; hidden objects of ours are not there."""
    truth = json.loads(truth_path.read_text())
    width, height, fps = truth["width"], truth["height"], truth["fps"]
    ours: dict[int, dict] = {}
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


class Counts:
    """Sums over scenes."""

    def __init__(self) -> None:
        self.series: list[np.ndarray] = []
        self.biases: list[np.ndarray] = []
        self.late: list[float] = []
        self.death: list[float] = []
        self.misses, self.chances, self.stays, self.gone = 0, 0, 0, 0
        self.breaks, self.samples, self.never, self.things = 0, 0, 0, 0
        self.rested, self.blind, self.scenes_blind = 0, 0, 0
        self.ghosts, self.scenes = 0, 0

    def add(self, true: list[dict], ours: list[dict]) -> None:
        self.scenes += 1
        shown = [match(a, b) for a, b in zip(true, ours)]
        rested, blind = self.rested, self.blind
        for thing in sorted({i for row in true for i in row}):
            self._thing(thing, true, ours, shown)
        if self.rested - rested >= 2 and self.blind - blind == self.rested - rested:  # all of them: the scene's fault
            self.scenes_blind += 1
            self.rested, self.blind = rested, blind
        lives: dict[str, list[bool]] = {}
        for row, taken in zip(ours, shown):
            for name in row:
                lives.setdefault(name, []).append(name in taken.values())
        self.ghosts += any(len(life) >= 5 and not any(life) for life in lives.values())

    def _thing(self, thing: str, true: list[dict], ours: list[dict], shown: list[dict]) -> None:
        there = np.array([thing in row for row in true])
        names = [row.get(thing) for row in shown]
        seen = np.array([name is not None for name in names])
        if there.sum() < LEAST_LIFE:
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
        self.breaks += sum(a != b for a, b in zip(known, known[1:]))
        self.samples += len(known)
        errors = []
        for k in range(first, last + 1):
            if seen[k] and (not errors or names[k] == names[k - 1]):
                a, b = true[k][thing], ours[k][names[k]]
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
        """The measured values over those of `before`."""
        lags = [np.concatenate([(s[lag:] * s[: len(s) - lag]).ravel() for s in self.series if len(s) > lag]) for lag in range(4)]
        g0, g1, _, g3 = (float(np.mean(np.clip(x, *np.quantile(x, [0.005, 0.995])))) for x in lags)
        memory = float(np.clip((max(g3, 1e-9) / max(g1, 1e-9)) ** 0.5, 0.3, 0.98))
        slow = min(g1 / memory, g0 * 0.98)
        fitted = dict(
            white=ABSOLUTE / 2, white_share=np.sqrt(max(g0 - slow, 1e-6)) / VARIES, slow=ABSOLUTE / 2, slow_share=np.sqrt(slow) / VARIES,
            memory=memory,
            miss=self.misses / max(1, self.chances), miss_stays=self.stays / max(1, self.gone), coast=0.1,
            bias_share=robust(self.biases),
            least_late_s=float(np.quantile(self.late, 0.25)),
            late_s=max(0.02, float(np.mean(np.clip(self.late, 0, 2)) - np.quantile(self.late, 0.25))), never=self.never / max(1, self.things),
            death_s=float(np.mean(np.clip(self.death, 0, 1))) if self.death else before["death_s"],
            ghosts=self.ghosts / max(1, self.scenes), blind=self.blind / max(1, self.rested),
            only_moving=self.scenes_blind / max(1, self.scenes),
        )  # fmt: skip
        fitted["break"] = 10 * self.breaks / max(1, self.samples)
        return before | {name: round(float(value), 5) for name, value in fitted.items()}


def rests_at_first(thing: str, true: list[dict]) -> bool:
    """Whether it is in sight from the start and does not move for 2 s."""
    if not all(thing in row for row in true[:20]):
        return False
    boxes = np.array([row[thing] for row in true[:20]])
    return bool(np.ptp(boxes[:, :2] + boxes[:, 2:] / 2, axis=0).max() < 0.08 * np.sqrt(boxes[0, 2] * boxes[0, 3]))


def robust(values: list[np.ndarray]) -> float:
    """Standard deviation by the median of the absolute values."""
    return float(1.48 * np.median(np.abs(np.array(values))))


def match(true: dict, ours: dict) -> dict[str, str]:
    """{true id: our id}, one to one, best overlap first."""
    if not true or not ours:
        return {}
    ids, names = list(true), list(ours)
    shared = overlaps(np.array([true[i] for i in ids]), np.array([ours[n] for n in names]))
    found: dict[str, str] = {}
    for flat in np.argsort(-shared, axis=None):
        i, j = np.unravel_index(flat, shared.shape)
        if shared[i, j] < LEAST_IOU:
            break
        if ids[i] not in found and names[j] not in found.values():
            found[ids[i]] = names[j]
    return found


def tracked(true: list[dict], ours: list[dict]) -> float:
    """Matched boxes over all of both, 0 to 1."""
    matched = sum(len(match(a, b)) for a, b in zip(true, ours))
    return matched / max(1, sum(map(len, true)) + sum(map(len, ours)) - matched)


def fit_levels(truths: Path, results: Path, before: list[dict]) -> tuple[list[dict], int]:
    """Parameters of scenes tracked well, fairly and badly, and how many scenes there were."""
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
                sums.add(truths / f"{path.stem}.json", path, [match(a, b) for a, b in zip(true, ours)], ours)
        levels.append(counts.parameters(before[min(level, len(before) - 1)]))
    told = [levels[k] | every.parameters() | contacts[k].parameters() for k in range(LEVELS)]
    return told, len(scenes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for world in ("tabletop", "street"):
        parser.add_argument(f"--{world}", type=Path, nargs=2, metavar=("TRUTH", "RESULTS"))
    options = parser.parse_args()
    target = PARAMETERS
    noise = json.loads(target.read_text())
    for world in ("tabletop", "street"):
        folders = getattr(options, world)
        if folders:
            noise[world], count = fit_levels(*folders, noise[world])
            noise["fitted"][world] = f"{count} rendered scenes"
            print(world, json.dumps(noise[world], indent=1))
    target.write_text(json.dumps(noise, indent=2) + "\n")


if __name__ == "__main__":
    main()
