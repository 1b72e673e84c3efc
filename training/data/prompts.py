"""Prompts, questions and answers for the fused model from scene shards: what memory would have told, and what was true."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..language.relations import links
from ..language.situations import Event, Listing, Situation, Thing, listing, prompt_of
from ..language.tasks import item_text, needs_texts, task_line
from ..language.tree import Speech, Tree
from .labels import LABELS, PAIR, SINGLE
from .observed import HZ, Observed, confirm_s, event_types, memory_at

RERUN_SHARE = 0.6
"""Weight of the re-runs in the soft labels of the forecast; the rest is what came about in the scene itself."""
LOOK_NOISE = 0.6
MOST_CANDIDATES = 10
OTHER_NAMES = {
    0: ["person"], 1: ["car", "truck", "bus", "bicycle", "motorcycle"], 2: ["dog", "cat", "horse", "bird", "sheep"],
    3: ["sports ball", "bottle", "cup", "suitcase", "chair", "box", "object", "vase", "book", "toy", "frisbee", "remote"],
}  # fmt: skip
"""Names of detectors for things of each kind, told instead of the world's own in some scenes."""


@dataclass
class Sample:
    """One prompt with its questions, and what the fusion core sees; objects in the order of their slots."""

    tree: Tree
    things: np.ndarray
    """Numbers of the scene's objects, by slot."""
    boxes: np.ndarray
    seen: np.ndarray
    kind: np.ndarray
    age: np.ndarray
    aspect: float
    looks: np.ndarray
    clips: np.ndarray
    clip_age: np.ndarray
    world: int
    extra: dict = field(default_factory=dict)


@dataclass
class Moment:
    """A listing at a frame of a scene, and what the tasks need to ask about it."""

    observed: Observed
    frame: int
    situation: Situation
    told: Listing
    looks_of: np.ndarray
    """Identity of each object's look."""
    focus: Event | None = None

    @property
    def at(self) -> float:
        return self.frame / HZ

    def number(self, thing: str) -> int:
        return int(thing)


def tenth(value: float) -> int:
    return int(np.clip(np.floor(value * 10), 0, 9))


def cell(moment: Moment, number: int, frame: int) -> str | None:
    observed = moment.observed
    if frame < 0 or not observed.seen[frame, number]:
        return None
    x, y, w, h = observed.boxes[frame, number]
    return f"{tenth((x + w / 2) / observed.aspect)}{tenth(y + h / 2)}"


def tell_answer(moment: Moment, number: int) -> str | None:
    """`x4 y7 w1 h2 left fast`, where the object is in view."""
    observed, frame = moment.observed, moment.frame
    place = cell(moment, number, frame)
    if place is None:
        return None
    w, h = observed.boxes[frame, number, 2] / observed.aspect, observed.boxes[frame, number, 3]
    velocity = observed.velocity(number, frame)
    speed = 0.0 if velocity is None else float(np.hypot(*velocity))
    pace = "still" if speed < 0.15 else "slow" if speed < 1 else "fast"
    way = "none"
    if speed >= 0.15:
        way = ("right" if velocity[0] > 0 else "left") if abs(velocity[0]) > abs(velocity[1]) else ("down" if velocity[1] > 0 else "up")
    return f"x{place[0]} y{place[1]} w{tenth(w)} h{tenth(h)} {way} {pace}\n"


def add_places(tree: Tree, root: int, moment: Moment, speech: Speech, rng: np.random.Generator, most: int) -> None:
    for thing in rng.permutation(len(moment.told.things))[:most]:
        told = moment.told.things[thing]
        answer = tell_answer(moment, moment.number(told.id))
        if answer:
            tree.answer(speech.encode(answer), tree.add(speech.encode(f"tell {moment.told.slot(told.id)}\n"), root), "tell")
        cells = [cell(moment, moment.number(told.id), moment.frame - lag) for lag in (20, 10, 0)]
        if all(cells):
            node = tree.add(speech.encode(f"path {moment.told.slot(told.id)}\n"), root)
            tree.answer(speech.encode(" ".join(cells) + "\n"), node, "path")


def add_same(tree: Tree, root: int, moment: Moment, speech: Speech, rng: np.random.Generator) -> None:
    things = moment.told.things
    if len(things) < 2:
        return
    pairs = [(a, b) for a in range(len(things)) for b in range(len(things)) if a != b]
    alike = [pair for pair in pairs if same(moment, *pair)]
    a, b = (alike if alike and rng.random() < 0.5 else pairs)[rng.integers(len(alike) if False else 1 << 30) % len(alike or pairs)] if False else _pick(alike, pairs, rng)
    node = tree.add(speech.encode(f"same #{a + 1} #{b + 1}\n"), root)
    tree.answer(speech.encode("yes\n" if same(moment, a, b) else "no\n"), node, "same")


def _pick(alike: list, pairs: list, rng: np.random.Generator) -> tuple[int, int]:
    pool = alike if alike and rng.random() < 0.5 else pairs
    return pool[rng.integers(len(pool))]
