"""The content of the object memory at a frame of a simulated scene, from the observed tracks and events of a shard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from training.data.text.situations import Event, Situation, Thing
from training.paths import ROOT

HZ = 10
SPEED_S, HEIGHT_S = 0.6, 1.0
RECENT_S = 10.0
IN_VIEW_S = 0.5
"""An object seen within this time counts as in view."""
ONTOLOGY = ROOT / "src" / "core" / "ontology.ts"


@cache
def event_types() -> list[str]:
    """EVENT_TYPES of src/core/ontology.ts."""
    body = re.search(r"EVENT_TYPES = \[(.*?)\]", ONTOLOGY.read_text(), re.DOTALL)
    return re.findall(r"'(\w+)'", body[1]) if body else []


@cache
def confirm_s() -> dict[str, float]:
    """CONFIRM_S of src/core/ontology.ts: delay in s until an event is confirmed."""
    body = re.search(r"CONFIRM_S[^{]*\{(.*?)\}", ONTOLOGY.read_text(), re.DOTALL)
    return {name: float(value) for name, value in re.findall(r"(\w+): ([\d.]+)", body[1])} if body else {}


@dataclass
class Observed:
    """One scene.

    boxes [T, 8, 4] in frame heights, seen [T, 8], kind [8] (-1: empty slot), and the observed and the true events.
    """

    boxes: np.ndarray
    seen: np.ndarray
    kind: np.ndarray
    label: np.ndarray
    color: np.ndarray
    aspect: float
    world: int
    seen_events: list[Event]
    true_events: list[tuple[Event, np.ndarray]]
    """Each with its `necessary` [8]."""
    arrays: dict[str, np.ndarray]
    """moment, single, pair, actual_single, actual_pair."""

    def positions(self, number: int, first: int, last: int) -> np.ndarray:
        """Positions [frames, 2] of an object at the frames `first` to `last`."""
        box = self.boxes[first : last + 1, number]
        upright = self.kind[number] in (0, 2)
        return np.stack([box[:, 0] + box[:, 2] / 2, box[:, 1] + box[:, 3] * (1 if upright else 0.5)], 1)

    def velocity(self, number: int, frame: int) -> np.ndarray | None:
        """Velocity [2] in body heights per second, by least squares over the last 0.6 s; None before that."""
        first = frame - round(SPEED_S * HZ)
        if first < 0 or not self.seen[: first + 1, number].any():
            return None
        kept = np.flatnonzero(self.seen[first : frame + 1, number])
        if len(kept) < 3:
            return None
        past = max(0, frame - round(HEIGHT_S * HZ))
        height = np.median(self.boxes[past : frame + 1, number, 3][self.seen[past : frame + 1, number]])
        slope = np.polyfit(kept / HZ, self.positions(number, first, frame)[kept], 1)[0]
        return slope / max(float(height), 1e-3)

    def age(self, number: int, frame: int) -> float:
        """Seconds since the object was first seen."""
        return (frame - int(self.seen[:, number].argmax())) / HZ


def load_scenes(path: Path) -> list[Observed]:
    """Scenes of a shard."""
    with np.load(path) as stored:
        shard = {name: stored[name] for name in stored.files}
    count = len(shard["kind"])
    seen_events: list[list[Event]] = [[] for _ in range(count)]
    true_events: list[list[tuple[Event, np.ndarray]]] = [[] for _ in range(count)]
    for row, scene in enumerate(shard["se_scene"]):
        seen_events[scene].append(event_of(shard, "se", row))
    for row, scene in enumerate(shard["ev_scene"]):
        true_events[scene].append((event_of(shard, "ev", row), shard["necessary"][row]))
    names = ("moment", "single", "pair", "actual_single", "actual_pair")
    boxes = np.nan_to_num(shard["boxes"].astype(np.float32)) * shard["seen"][..., None]
    return [
        Observed(
            boxes[k], shard["seen"][k], shard["kind"][k], shard["label"][k], shard["color"][k], float(shard["aspect"][k]),
            int(shard["world"][k]), sorted(seen_events[k], key=lambda event: event.t),
            sorted(true_events[k], key=lambda pair: pair[0].t), {name: shard[name][k] for name in names},
        )
        for k in range(count)
    ]  # fmt: skip


def event_of(shard: dict[str, np.ndarray], prefix: str, row: int) -> Event:
    """Event of a row; prefix `se` for observed, `ev` for true events."""
    a, b = int(shard[f"{prefix}_a"][row]), int(shard[f"{prefix}_b"][row])
    who = (str(a),) if b < 0 else (str(a), str(b))
    return Event(event_types()[int(shard[f"{prefix}_type"][row])], who, round(float(shard[f"{prefix}_t"][row]), 2))


def memory_at(observed: Observed, frame: int, names: list[str]) -> Situation:
    """Objects seen in the last 10 s under the given names, and the events confirmed by then."""
    at = frame / HZ
    past = max(0, frame - round(RECENT_S * HZ))
    there = [k for k in range(len(observed.kind)) if observed.kind[k] >= 0 and observed.seen[past : frame + 1, k].any()]
    there.sort(key=lambda k: int(observed.seen[:, k].argmax()))
    things = []
    for number in there:
        velocity = observed.velocity(number, frame)
        speed = None if velocity is None else float(np.hypot(*velocity))
        lately = max(0, frame - round(IN_VIEW_S * HZ))
        things.append(Thing(str(number), names[number], speed, bool(observed.seen[lately : frame + 1, number].any())))
    known = {thing.id for thing in things}
    events = [
        event
        for event in observed.seen_events
        if at - RECENT_S <= event.t and event.t + confirm_s()[event.type] <= at + 1e-6 and known.issuperset(event.participants)
    ]
    return Situation(at, things, events)
