"""Stage `causes`: the objects necessary for an event, learned from counterfactual simulations without each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.data.tracks.examples import HZ, THINGS, TRACK_NAMES, Examples, mirror, roughen, window
from training.evaluate.probability_scores import f1, fit_logistic, scores
from training.models.cause_features import AFTER_S, NEVER_S, STEPS, Reach
from training.models.causes import ROLES, CauseHead

EVENT_NAMES = (
    "enter",
    "appear",
    "exit",
    "disappear",
    "start_moving",
    "stop",
    "turn",
    "meet",
    "separate",
    "approach",
    "collide",
    "zone_enter",
    "zone_leave",
    "line_cross",
    "loiter",
    "follow",
    "pick_up",
    "put_down",
    "fall",
)
"""As EVENT_TYPES in src/core/ontology.ts."""
COLLIDE = EVENT_NAMES.index("collide")
ORDERED = (15, 16, 17)
"""follow, pick_up, put_down: the order of the participants matters."""
SAME_S = 0.4
"""A contact of the participants within this time of a collision is the collision itself."""
JUST_BEFORE_S = 0.05
TIME_JITTER_S = 0.07
FORGOTTEN = 0.1
CHUNK = 256
MAX_EVENTS = 6
"""Events used per scene: further ones are nearly redundant."""
CAUSE_NAMES = (*TRACK_NAMES, "event", "role", "contact")
PER_THING = {"role": (1,), "contact": (1, 2), "necessary": (1,)}


@dataclass
class Scenes:
    """Tracks of whole scenes [S, T, 8, ...] and their events as `Examples`; the array `scene` is the scene of each event."""

    tracks: dict[str, np.ndarray]
    events: Examples

    def rows(self, index: np.ndarray, shift: np.ndarray | None = None) -> dict[str, Tensor]:
        """Inputs of the events `index` [B]; `shift` [B] moves the reported time of each, in s."""
        rows = self.events.rows(index, PER_THING)
        count, scene = rows["role"].shape[1], self.events.arrays["scene"][index]
        shift = np.zeros(len(index)) if shift is None else shift
        ends = np.round((self.events.arrays["t"][index] + shift + AFTER_S) * HZ).astype(int)
        seen = self.tracks["seen"][scene]
        first = np.where(seen.any(1), seen.argmax(1), seen.shape[1])
        rows["boxes"] = torch.from_numpy(window(self.tracks["boxes"][scene], ends, STEPS)[:, :count]).float()
        rows["seen"] = torch.from_numpy(window(seen, ends, STEPS)[:, :count]).float()
        rows["age"] = torch.from_numpy(((ends[:, None] - first) / HZ).clip(0)[:, :count]).float()
        rows["kind"] = torch.from_numpy(self.tracks["kind"][scene][:, :count]).long()
        rows["aspect"] = torch.from_numpy(self.tracks["aspect"][scene]).float()
        reported = rows["contact"][..., 0] > 0
        later = (rows["contact"][..., 1] + torch.from_numpy(shift).float()[:, None, None]).clamp(0, NEVER_S)
        rows["contact"] = torch.stack([rows["contact"][..., 0], later * reported], -1)
        return rows


def scenes_of(files: list[Path]) -> Scenes:
    """Scenes and events of shards."""
    tracks: dict[str, list[Any]] = {}
    events: dict[str, list[Any]] = {}
    counts, worlds, before = [], [], 0
    for path in files:
        with np.load(path) as stored:
            shard = {name: stored[name] for name in stored.files}
        found = shard_events(shard)
        boxes = (np.nan_to_num(shard["boxes"]) * shard["seen"][..., None]).astype(np.float16)
        whole = {"boxes": boxes, "seen": shard["seen"], "kind": shard["kind"], "aspect": shard["aspect"].astype(np.float32)}
        for name, values in whole.items():
            tracks.setdefault(name, []).append(values)
        present = (shard["kind"] >= 0) * np.arange(1, THINGS + 1)
        counts.append(present.max(1)[found["scene"]])
        worlds.append(shard["world"][found["scene"]])
        found["scene"] = found["scene"] + before
        before += len(shard["kind"])
        for name, values in found.items():
            events.setdefault(name, []).append(values)
    joined = {name: np.concatenate(arrays) for name, arrays in events.items()}
    examples = Examples(joined, np.concatenate(counts), np.concatenate(worlds))
    return Scenes({name: np.concatenate(arrays) for name, arrays in tracks.items()}, examples)


def shard_events(shard: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays of the events with known causes: scene, t, event [E], role, necessary [E, 8], contact [E, 8, 8, 2]."""
    chosen = chosen_events(shard)
    reported = np.flatnonzero(shard["se_type"] == COLLIDE)
    reported = reported[np.argsort(shard["se_scene"][reported], kind="stable")]
    bounds = np.searchsorted(shard["se_scene"][reported], np.arange(len(shard["kind"]) + 1))
    contact = np.zeros((len(chosen), THINGS, THINGS, 2), np.float32)
    role = np.zeros((len(chosen), THINGS), np.int8)
    for row, event in enumerate(chosen):
        scene, first, second = shard["ev_scene"][event], shard["ev_a"][event], shard["ev_b"][event]
        role[row, first] = 1
        if second >= 0:
            role[row, second] = 2
        rows = reported[bounds[scene] : bounds[scene + 1]]
        contact[row] = contacts_before(shard, rows, event)
    t = shard["ev_t"][chosen].astype(np.float32)
    known = {"event": shard["ev_type"][chosen], "necessary": shard["necessary"][chosen]}
    return known | {"scene": shard["ev_scene"][chosen], "t": t, "role": role, "contact": contact.astype(np.float16)}


def chosen_events(shard: dict[str, np.ndarray]) -> np.ndarray:
    """Events with known causes, at limit MAX_EVENTS per scene: collisions first, then the latest."""
    known = np.flatnonzero((shard["necessary"] >= 0).any(1))
    keys = (-shard["ev_t"][known], shard["ev_type"][known] != COLLIDE, shard["ev_scene"][known])
    known = known[np.lexsort(keys)]
    scene = shard["ev_scene"][known]
    starts = np.searchsorted(scene, scene, "left")
    return known[np.arange(len(known)) - starts < MAX_EVENTS]


def contacts_before(shard: dict[str, np.ndarray], rows: np.ndarray, event: int) -> np.ndarray:
    """Newest contact of each pair that was reported before the event: confidence and seconds before, [8, 8, 2]."""
    contact = np.zeros((THINGS, THINGS, 2), np.float32)
    t, participants = shard["ev_t"][event], {int(shard["ev_a"][event]), int(shard["ev_b"][event])}
    for row in rows[np.argsort(shard["se_t"][rows], kind="stable")]:
        first, second, seconds = int(shard["se_a"][row]), int(shard["se_b"][row]), float(t - shard["se_t"][row])
        itself = shard["ev_type"][event] == COLLIDE and {first, second} == participants and abs(seconds) <= SAME_S
        if seconds > JUST_BEFORE_S and not itself and second >= 0:
            contact[first, second] = contact[second, first] = shard["se_conf"][row], seconds
    return contact


def cause_losses(
    head: CauseHead, scenes: Scenes, groups: list[np.ndarray], rng: np.random.Generator, batch: int
) -> dict[str, Tensor]:
    """Loss of a random, augmented batch."""
    index = scenes.events.pick(rng, groups, batch)
    rows = scenes.rows(index, rng.normal(0, TIME_JITTER_S, batch).clip(-0.2, 0.2))
    mirror(rows, torch.from_numpy(rng.random(batch) < 0.5))
    roughen(rows, rng)
    forget(rows, rng)
    swapped = torch.from_numpy(rng.random(batch) < 0.5) & ~torch.isin(rows["event"], torch.tensor(ORDERED))
    role = rows["role"]
    rows["role"] = torch.where(swapped[:, None] & (role > 0) & (role == 2).any(1, keepdim=True), 3 - role, role)
    return {"necessary": loss_of(head, rows)}


def forget(rows: dict[str, Tensor], rng: np.random.Generator) -> None:
    """Drop some contacts in half of the events, and add noise to the confidences."""
    contact = rows["contact"]
    batch, things = contact.shape[:2]
    lost = np.triu(rng.random((batch, things, things)) < FORGOTTEN * (rng.random((batch, 1, 1)) < 0.5))
    kept = torch.from_numpy(~(lost | lost.transpose(0, 2, 1))).float()
    off = np.triu(rng.normal(0, 0.08, (batch, things, things)), 1)
    confidence = contact[..., 0] + torch.from_numpy(off + off.transpose(0, 2, 1)).float()
    reported = (contact[..., 0] > 0).float() * kept
    rows["contact"] = torch.stack([confidence.clamp(0.06, 1) * reported, contact[..., 1] * reported], -1)


def loss_of(head: CauseHead, rows: dict[str, Tensor]) -> Tensor:
    """Binary cross entropy over objects with known necessity."""
    logits, valid = head(*(rows[name] for name in CAUSE_NAMES))
    due = (rows["necessary"] >= 0) & (valid > 0)
    return functional.binary_cross_entropy_with_logits(logits[due], rows["necessary"][due].float())


@torch.no_grad()
def predictions(head: CauseHead, scenes: Scenes, limit: int | None = None) -> dict[str, np.ndarray]:
    """Arrays over all known (event, object): logit, truth, event type, world, and trust by the rule of transitive touch."""
    head.eval()
    found: dict[str, list[Any]] = {name: [] for name in ("logit", "true", "event", "world", "rule", "seen")}
    for group in scenes.events.groups():
        chosen = group if limit is None else group[: max(1, limit * len(group) // scenes.events.size)]
        for start in range(0, len(chosen), CHUNK):
            index = chosen[start : start + CHUNK]
            rows = scenes.rows(index)
            logits, valid = head(*(rows[name] for name in CAUSE_NAMES))
            due = rows["necessary"] >= 0
            roles = functional.one_hot(rows["role"], ROLES).float()
            rule = Reach(rows["contact"], roles).trust
            world = torch.from_numpy(scenes.events.world[index]).long()
            values_of = {"logit": logits, "true": rows["necessary"], "event": rows["event"][:, None], "world": world[:, None]}
            for name, values in (values_of | {"rule": rule, "seen": valid}).items():
                found[name].append(values.expand_as(due)[due].float())
    return {name: torch.cat(arrays).numpy() for name, arrays in found.items()}


def held_loss(head: CauseHead, held: Scenes, limit: int = 3000) -> float:
    """Mean loss on about `limit` held-out events."""
    predicted = predictions(head, held, limit)
    head.train()
    logit, true = predicted["logit"], predicted["true"]
    return float((np.logaddexp(0, logit) - logit * true)[predicted["seen"] > 0].mean())


@torch.no_grad()
def calibrate(head: CauseHead, held: Scenes) -> None:
    """Fit scale and shift on held-out scenes."""
    predicted = predictions(head, held)
    shown = predicted["seen"] > 0
    head.scale[0], head.shift[0] = fit_logistic(predicted["logit"][shown], predicted["true"][shown])


def cause_scores(head: CauseHead, scenes: Scenes) -> dict[str, Any]:
    """F1 at 0.5 and Brier of the head, and F1 of the rule with all reported contacts and with confident ones."""
    predicted = predictions(head, scenes)
    logit = (predicted["logit"] * float(head.scale) + float(head.shift)).clip(-30, 30)
    probability = predicted["seen"] / (1 + np.exp(-logit))
    sets = {"all": np.ones(len(logit), bool)}
    sets |= {world: predicted["world"] == number for number, world in enumerate(("table-top", "street"))}
    sets["table-top collide"] = (predicted["world"] == 0) & (predicted["event"] == COLLIDE)
    for kind in np.unique(predicted["event"]):
        sets[f"street {EVENT_NAMES[int(kind)]}"] = (predicted["world"] == 1) & (predicted["event"] == kind)
    found = {}
    for name, subset in sets.items():
        if predicted["true"][subset].sum() == 0:
            continue
        true = predicted["true"][subset]
        rules = {f"rule {floor}": f1(predicted["rule"][subset] > floor, true) for floor in (0, 0.3)}
        found[name] = {"head": f1(probability[subset], true) | scores(probability[subset], true)} | rules
    return found
