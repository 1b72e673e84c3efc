"""Errors of contact detection on rendered scenes: detected true contacts, false contacts, and their confidences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

NEAR_S = 0.6
"""A detected contact matches a true one of the same objects within this time."""
TOUCH = 0.05
"""As in the event definitions: a gap below this share of the mean size is a touch."""
MIN_CONTACTS = 20


class ContactCounts:
    """Sums of contact errors over scenes."""

    def __init__(self) -> None:
        self.true, self.detected, self.close, self.false = 0, 0, 0, 0
        self.confidences: list[float] = []
        self.false_confidences: list[float] = []
        self.off: list[float] = []

    def add(self, truth_path: Path, result_path: Path, shown: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
        """Add a scene.

        shown: {true id: tracked id} at 10 Hz; ours: tracked boxes by id at 10 Hz. Only contacts of objects that are both
        tracked count.
        """
        truth = json.loads(truth_path.read_text())
        hits = [(frozenset(map(str, e["objects"])), e["t"]) for e in truth["events"] if e["type"] == "collision"]
        real = {ours_: true for row in shown for true, ours_ in row.items()}
        detected = [(frozenset(real.get(i, f"?{i}") for i in who), t, sure) for who, t, sure in detected_contacts(result_path)]
        for pair, t in hits:
            step = min(len(shown) - 1, round(t * 10))
            if not all(i in shown[step] for i in pair):
                continue
            self.true += 1
            near = [entry for entry in detected if entry[0] == pair and abs(entry[1] - t) <= NEAR_S]
            if near:
                self.detected += 1
                self.confidences.append(near[0][2])
                self.off.append(near[0][1] - t)
        for touching_pair, t in touches(ours):
            names = frozenset(real.get(i, f"?{i}") for i in touching_pair)
            if any(names == hit and abs(t - at) <= NEAR_S for hit, at in hits):
                continue
            self.close += 1
            near = [entry for entry in detected if entry[0] == names and abs(entry[1] - t) <= NEAR_S]
            self.false += bool(near)
            self.false_confidences += [near[0][2]] if near else []

    def parameters(self) -> dict[str, float]:
        """Return the rates and confidences, or {} when there are fewer than MIN_CONTACTS."""
        if min(len(self.confidences), len(self.false_confidences)) < MIN_CONTACTS:
            return {}
        rates = dict(
            contact_detected=self.detected / self.true,
            contact_false=self.false / self.close,
            contact_off_s=float(np.std(self.off)),
            confidence_mean=float(np.mean(self.confidences)),
            confidence_spread=float(np.std(self.confidences)),
            false_confidence_mean=float(np.mean(self.false_confidences)),
            false_confidence_spread=float(np.std(self.false_confidences)),
        )
        return {name: round(value, 4) for name, value in rates.items()}


def detected_contacts(result_path: Path) -> list[tuple[list[str], float, float]]:
    """Ids, time in s and confidence of the contacts in a result."""
    found = []
    for line in result_path.read_text().splitlines():
        message = json.loads(line)
        if message["type"] == "presage.event.observed.v1" and message["data"]["event"]["type"] == "collide":
            event = message["data"]["event"]
            found.append(([p["id"] for p in event["participants"]], event["t"], event["confidence"]))
    return found


def touches(ours: list[dict[str, Any]]) -> list[tuple[tuple[str, str], float]]:
    """Ids and time in s of every start of a contact between two tracked boxes."""
    found: list[tuple[tuple[str, str], float]] = []
    close: set[tuple[str, str]] = set()
    for k, row in enumerate(ours):
        names = sorted(row)
        now = {(a, b) for n, a in enumerate(names) for b in names[n + 1 :] if touching(row[a], row[b])}
        found += [(pair, k / 10) for pair in sorted(now - close)]
        close = now
    return found


def touching(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two boxes are closer than TOUCH mean sizes."""
    gap = np.maximum(np.maximum(a[:2] - b[:2] - b[2:], b[:2] - a[:2] - a[2:]), 0)
    size = (np.sqrt(a[2] * a[3]) + np.sqrt(b[2] * b[3])) / 2
    return bool(np.hypot(*gap) < TOUCH * size)
