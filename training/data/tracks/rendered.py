"""Rendered scenes as tracked by Presage.

    python -m training.data rendered --out DIR --clips DIR --street N --tabletop M

Renders each scene as a video, runs `presage analyze` on it, and writes its tracks and events with the truth as shards. Causes
are known for the contacts of table-top scenes. Existing videos and results are kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from training.data.tracks import recorded as rec
from training.data.tracks import shards
from training.data.tracks.stats import write_stats
from training.data.tracks.tracker_results import load, match
from training.worlds.progress import Progress
from training.worlds.tracks.compose import CAUSED
from training.worlds.tracks.events import COLLIDE, EVENT_TYPES

SECONDS = 12
STREET_HZ = 10
MIN_PIXELS = 40
PERSONS, VEHICLES = {"person"}, {"car", "truck", "bus", "bicycle", "motorcycle", "train", "boat"}
ANIMALS = {"bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "animal"}
LABEL = {"person": 0, "car": 1, "animal": 4, "sphere": 5, "cube": 6, "cylinder": 7, "disc": 7, "box": 8, "can": 7}
SHARD = 16


def kind_of(label: str) -> int:
    """Kind of object (index in labels.KINDS) of a detector label."""
    return 0 if label in PERSONS else 1 if label in VEHICLES else 2 if label in ANIMALS else 3


def draw_street(seed: int, folder: Path) -> None:
    """Write a street scene as sSEED.mp4 and sSEED.json, in the format of the table-top world."""
    import cv2

    from training.worlds.pixels.street import Street
    from training.worlds.pixels.video import VideoWriter

    street = Street(seed, SECONDS * STREET_HZ, STREET_HZ)
    width, height = street.width, street.height
    writer = VideoWriter(folder / f"s{seed}.mp4", width, height, STREET_HZ, 23, "veryfast")
    boxes: dict[str, dict[str, list[int]]] = {}
    for index in range(street.length):
        frame = street.frame(index)
        writer.write(frame.picture)
        counts = np.bincount(frame.ids.ravel(), minlength=256)
        boxes[str(index)] = {str(i): list(cv2.boundingRect((frame.ids == i).view(np.uint8)))
                             for i in range(1, 255) if counts[i] >= MIN_PIXELS}  # fmt: skip
    writer.close()
    objects = [dict(id=actor.id, shape=actor.appearance.kind) for actor in street.actors]
    truth = dict(world="street", seed=seed, fps=STREET_HZ, width=width, height=height, frames=street.length, boxes=boxes,
                 objects=objects, events=[], causes=[])  # fmt: skip
    partial = folder / f"s{seed}.partial"
    partial.write_text(json.dumps(truth, separators=(",", ":")))
    partial.rename(folder / f"s{seed}.json")


def draw(world: str, seed: int, folder: Path) -> None:
    """Render one scene unless it exists."""
    if (folder / f"s{seed}.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if world == "street":
        draw_street(seed, folder)
        return
    from training.worlds.pixels.tabletop import make_scene

    make_scene(seed, folder, 0, True, SECONDS)


def analyse(command: list[str], seed: int, folder: Path) -> None:
    """Run Presage on the video of a scene unless its result exists."""
    target = folder / f"s{seed}.jsonl"
    if target.exists():
        return
    partial = folder / f"s{seed}.part.jsonl"
    call = [*command, "analyze", str(folder / f"s{seed}.mp4"), "--out", str(partial), "--stamp", "none", "--reasoner", "off"]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    partial.rename(target)


def convert(seed: int, folder: Path) -> dict[str, np.ndarray] | None:
    """Return one scene of a shard from truth and result, or None when it is too short or empty."""
    truth = json.loads((folder / f"s{seed}.json").read_text())
    true, ours = load(folder / f"s{seed}.json", folder / f"s{seed}.jsonl")
    lives: dict[str, int] = {}
    for row in true:
        for i in row:
            lives[i] = lives.get(i, 0) + 1
    ids = sorted(sorted(lives, key=lambda i: -lives[i])[: rec.OBJECTS], key=int)
    if not ids or len(true) < rec.STEPS:
        return None
    n, steps, aspect = len(ids), len(true), truth["width"] / truth["height"]
    boxes, seen = np.zeros((steps, n, 4)), np.zeros((steps, n), np.bool_)
    for k, row in enumerate(true):
        for slot, i in enumerate(ids):
            if i in row:
                boxes[k, slot], seen[k, slot] = row[i], True
    shapes = {str(o["id"]): o["shape"] for o in truth["objects"]}
    street = truth.get("world") == "street"
    kind = np.array([kind_of(shapes[i]) if street else 3 for i in ids])
    label = np.array([LABEL.get(shapes[i], 11) for i in ids], np.int8)
    contacts = None if street else _contacts(truth, ids)
    observed, slots = _observed(true, ours, ids, kind, folder / f"s{seed}.jsonl")
    recorded = rec.Recorded(int(street), aspect, kind, label, (np.arange(n) % 8).astype(np.int8), boxes, seen, contacts, observed)
    scene = rec.to_scene(recorded, seed, None if street else _necessary(recorded, truth, ids))
    return scene | _reported(folder / f"s{seed}.jsonl", slots)


def _contacts(truth: dict[str, Any], ids: list[str]) -> np.ndarray:
    rows = [(*sorted(ids.index(str(i)) for i in e["objects"]), e["t"]) for e in truth["events"]
            if e["type"] == "collision" and all(str(i) in ids for i in e["objects"])]  # fmt: skip
    return np.array(rows, float).reshape(-1, 3)


def _necessary(recorded: rec.Recorded, truth: dict[str, Any], ids: list[str]) -> np.ndarray:
    """Necessary objects of contacts, as the world wrote them; -1 for other events."""
    _, events = rec.true_events(recorded)
    within = events[events[:, 3] < rec.STEPS]
    out = np.full((len(within), len(ids)), -1, np.int8)
    need = {c["event"]: {str(i) for i in c["necessary"]} for c in truth["causes"]}
    for row, (kind, a, b, k) in enumerate(within):
        if kind != COLLIDE or COLLIDE not in CAUSED:
            continue
        pair = {ids[int(a)], ids[int(b)]}
        found = [n for n, e in enumerate(truth["events"]) if e["type"] == "collision" and {str(i) for i in e["objects"]} == pair
                 and abs(e["t"] * 10 - k) < 0.5]  # fmt: skip
        if found:
            out[row] = [-1 if i in pair else int(i in need.get(found[0], set())) for i in ids]
    return out


def _observed(
    true: list[dict[str, Any]], ours: list[dict[str, Any]], ids: list[str], kind: np.ndarray, result: Path
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], dict[str, int]]:
    """Tracks in the slots of the true objects they show; unmatched tracks in free slots, the longest first."""
    votes: dict[str, dict[str, int]] = {}
    length: dict[str, int] = {}
    for row, mine in zip(true, ours, strict=True):
        for name in mine:
            length[name] = length.get(name, 0) + 1
        for i, name in match(row, mine).items():
            votes.setdefault(name, {})[i] = votes.setdefault(name, {}).get(i, 0) + 1
    slots = {name: ids.index(best) for name, v in votes.items() if (best := max(v, key=lambda i: v[i])) in ids}
    strays = sorted((name for name in length if name not in votes and length[name] >= 5), key=lambda name: -length[name])
    slots |= dict(zip(strays, range(len(ids), rec.OBJECTS), strict=False))
    boxes, seen = np.zeros((rec.STEPS, rec.OBJECTS, 4)), np.zeros((rec.STEPS, rec.OBJECTS), np.bool_)
    for k in range(rec.STEPS):
        taken = match(true[k], ours[k])
        for name, box in ours[k].items():
            slot = slots.get(name)
            if slot is None or (seen[k, slot] and not (slot < len(ids) and taken.get(ids[slot]) == name)):
                continue
            boxes[k, slot], seen[k, slot] = box, True
    kinds = np.full(rec.OBJECTS, -1)
    kinds[: len(ids)] = kind
    labels = _labels(result)
    for name, slot in sorted(slots.items(), key=lambda item: length.get(item[0], 0)):
        kinds[slot] = kind_of(labels.get(name, "object"))
    return (boxes, seen, kinds), slots


def _messages(result: Path, kind: str) -> list[dict[str, Any]]:
    lines = map(json.loads, result.read_text().splitlines())
    return [line["data"] for line in lines if line["type"] == f"presage.{kind}.v1"]


def _labels(result: Path) -> dict[str, str]:
    """Last label of each tracked object."""
    return {o["id"]: o["label"] for data in _messages(result, "objects.updated") for o in data["objects"]}


def _reported(result: Path, slots: dict[str, int]) -> dict[str, np.ndarray]:
    """Events that the object memory reported, of objects that have a slot."""
    rows = []
    for data in _messages(result, "event.observed"):
        event = data["event"]
        who = [slots.get(p["id"]) for p in event["participants"]]
        if event["type"] in EVENT_TYPES and event["t"] < rec.STEPS / 10 and None not in who:
            rows.append(
                (EVENT_TYPES.index(event["type"]), who[0], who[1] if len(who) > 1 else -1, event["t"], event["confidence"])
            )
    table = np.array(sorted(rows, key=lambda row: row[3]), float).reshape(-1, 5)
    types = (np.int8, np.int8, np.int8, np.float32, np.float32)
    return {f"se_{name}": table[:, k].astype(types[k]) for k, name in enumerate(shards.SEEN_EVENTS)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True, help="folder for videos, truths and results")
    parser.add_argument("--street", type=int, default=100)
    parser.add_argument("--tabletop", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--presage", nargs="+", default=["node", "dist/cli/main.js"], help="the command line of Presage")


def main(options: argparse.Namespace) -> None:
    """Run the command."""
    tasks = [
        (w, options.seed + k) for w, count in (("tabletop", options.tabletop), ("street", options.street)) for k in range(count)
    ]
    tasks.sort(key=lambda task: (task[1], task[0]))  # scenes of both worlds alternate
    scenes, written = [], 0
    with Progress(len(tasks)) as progress:
        for n, (world, seed) in enumerate(tasks):
            folder = options.clips / world
            draw(world, seed, folder)
            analyse(options.presage, seed, folder)
            scene = convert(seed, folder)
            scenes += [scene] if scene else []
            progress.step(f"{world} {seed}")
            if len(scenes) >= SHARD or (scenes and n == len(tasks) - 1):
                shards.write(options.out / f"rendered-{written:05d}.npz", shards.pack(scenes))
                scenes, written = [], written + 1
    write_stats(options.out)
