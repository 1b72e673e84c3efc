"""Statistics of a folder of shards: events per type, number of causes, base rates of the forecast items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from training.data.tracks import labels, shards
from training.worlds.tracks.events import EVENT_TYPES


def collect(folder: Path) -> dict[str, Any]:
    """Sums over all shards of the folder, per world and in total."""
    total: dict[str, Any] = {"scenes": 0, "worlds": {}}
    for path in shards.shard_paths(folder):
        with np.load(path) as stored:
            shard = {name: stored[name] for name in stored.files if name not in ("boxes", "true_boxes", "future")}
        total["scenes"] += len(shard["world"])
        for number, name in enumerate(labels.WORLDS):
            _add(total["worlds"].setdefault(name, {}), shard, shard["world"] == number)
    for world in total["worlds"].values():
        _rates(world)
    return total


def _add(sums: dict[str, Any], shard: dict[str, Any], mine: np.ndarray) -> None:
    def add(group: str, name: str, value: float) -> None:
        sums.setdefault(group, {})[name] = sums.setdefault(group, {}).get(name, 0) + value

    add("scenes", "count", int(mine.sum()))
    add("scenes", "objects", int((shard["kind"][mine] >= 0).sum()))
    events = mine[shard["ev_scene"]]
    reported = mine[shard["se_scene"]]
    asked = events & (shard["necessary"] >= 0).any(1)
    need = (shard["necessary"] == 1).sum(1)
    for k, kind in enumerate(EVENT_TYPES):
        add("events", kind, int((events & (shard["ev_type"] == k)).sum()))
        add("reported", kind, int((reported & (shard["se_type"] == k)).sum()))
        add("necessary", kind, int(need[asked & (shard["ev_type"] == k)].sum()))
        add("questions", kind, int((asked & (shard["ev_type"] == k)).sum()))
    for fan in range(8):
        add("fan_in", str(fan), int((need[asked] == fan).sum()))
    for names, group, actual in ((labels.SINGLE, "single", "actual_single"), (labels.PAIR, "pair", "actual_pair")):
        soft, hard = shard[group][mine].astype(np.float32).sum(-1), shard[actual][mine]
        for k, name in enumerate(names):
            due = hard[..., k] >= 0
            add("due", name, int(due.sum()))
            add("occurred", name, int((due & (hard[..., k] < 6)).sum()))
            add("soft", name, float(np.nansum(soft[..., k])))


def _rates(world: dict[str, Any]) -> None:
    world["base_rate"] = {k: round(world["occurred"][k] / max(1, n), 4) for k, n in world["due"].items()}
    world["soft_rate"] = {k: round(world["soft"][k] / max(1, n), 4) for k, n in world["due"].items()}
    world["soft"] = {k: round(v, 1) for k, v in world["soft"].items()}


def write_stats(folder: Path) -> dict[str, Any]:
    """Write stats.json into the folder and return its content."""
    figures = collect(folder)
    (folder / "stats.json").write_text(json.dumps(figures, indent=1) + "\n")
    return figures
