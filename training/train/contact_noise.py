"""How our memory tells contacts of rendered scenes: which true ones, which that are none, and how sure it says to be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

NEAR_S = 0.6
"""A contact told this near to a true one of the same two is that one."""
TOUCH = 0.05
"""As in the event definitions: a gap below this share of the mean size is a touch."""
FEWEST = 20


class ContactCounts:
    """Sums over scenes."""

    def __init__(self) -> None:
        self.true, self.told, self.close, self.false = 0, 0, 0, 0
        self.sure: list[float] = []
        self.wrong: list[float] = []
        self.off: list[float] = []

    def add(self, truth_path: Path, result_path: Path, shown: list[dict], ours: list[dict]) -> None:
        """`shown`: our id of each true one, `ours`: our boxes, at 10 Hz. Only contacts of what both show are counted."""
        truth = json.loads(truth_path.read_text())
        hits = [(frozenset(map(str, e["objects"])), e["t"]) for e in truth["events"] if e["type"] == "collision"]
        real = {ours_: true for row in shown for true, ours_ in row.items()}
        told = [(frozenset(real.get(i, f"?{i}") for i in who), t, sure) for who, t, sure in told_contacts(result_path)]
        for pair, t in hits:
            step = min(len(shown) - 1, round(t * 10))
            if not all(i in shown[step] for i in pair):
                continue
            self.true += 1
            near = [entry for entry in told if entry[0] == pair and abs(entry[1] - t) <= NEAR_S]
            if near:
                self.told += 1
                self.sure.append(near[0][2])
                self.off.append(near[0][1] - t)
        for pair, t in touches(ours):
            names = frozenset(real.get(i, f"?{i}") for i in pair)
            if any(names == hit and abs(t - at) <= NEAR_S for hit, at in hits):
                continue
            self.close += 1
            near = [entry for entry in told if entry[0] == names and abs(entry[1] - t) <= NEAR_S]
            self.false += bool(near)
            self.wrong += [near[0][2]] if near else []

    def parameters(self) -> dict[str, float]:
        """Nothing where too few contacts were seen."""
        if min(len(self.sure), len(self.wrong)) < FEWEST:
            return {}
        told = dict(
            contact_told=self.told / self.true, contact_false=self.false / self.close, contact_off_s=float(np.std(self.off)),
            sure_mean=float(np.mean(self.sure)), sure_spread=float(np.std(self.sure)),
            wrong_mean=float(np.mean(self.wrong)), wrong_spread=float(np.std(self.wrong)),
        )  # fmt: skip
        return {name: round(value, 4) for name, value in told.items()}


def told_contacts(result_path: Path) -> list[tuple[list[str], float, float]]:
    """Ids, seconds and confidence of the contacts that were told."""
    found = []
    for line in result_path.read_text().splitlines():
        message = json.loads(line)
        if message["type"] == "presage.event.observed.v1" and message["data"]["event"]["type"] == "collide":
            event = message["data"]["event"]
            found.append(([p["id"] for p in event["participants"]], event["t"], event["confidence"]))
    return found


def touches(ours: list[dict]) -> list[tuple[tuple[str, str], float]]:
    """When two of our boxes come to touch: ids and seconds."""
    found, close = [], set()
    for k, row in enumerate(ours):
        names = sorted(row)
        now = {(a, b) for n, a in enumerate(names) for b in names[n + 1 :] if touching(row[a], row[b])}
        found += [(pair, k / 10) for pair in sorted(now - close)]
        close = now
    return found


def touching(a: np.ndarray, b: np.ndarray) -> bool:
    gap = np.maximum(np.maximum(a[:2] - b[:2] - b[2:], b[:2] - a[:2] - a[2:]), 0)
    size = (np.sqrt(a[2] * a[3]) + np.sqrt(b[2] * b[3])) / 2
    return bool(np.hypot(*gap) < TOUCH * size)
