"""Stage `embeddings`: the re-identification projector on the frozen mask head, with supervised contrastive loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.data.pixels.samples import View, fractions, jitter, tensors
from training.models.object_heads import ObjectHeads, enlarge, mask_weights, pool_map, small_picture
from training.train.run import mean

TEMPERATURE = 0.1
KEYFRAMES_PER_SCENE = 3
BOX_JITTER = 0.05
COPIES = 1
APART_FRAMES = 8


@dataclass
class Things:
    """Inputs of the projector for the objects of one keyframe, and their ids; `copy` distinguishes jittered boxes."""

    scene: str
    index: int
    copy: int
    numbers: np.ndarray
    pooled: Tensor
    weights: Tensor
    picture: Tensor


@torch.no_grad()
def observe(heads: ObjectHeads, views: list[View], copies: int, amount: float) -> list[Things]:
    """Compute the inputs of the projector, which do not change while it is trained."""
    heads.eval()
    rng, observed = np.random.default_rng(3), []
    for view in views:
        numbers, boxes = view.things
        for copy in range(copies if len(numbers) else 0):
            shares = fractions(view, jitter(rng, boxes, amount))
            maps, planes, covered = tensors(view.frame)
            corners = enlarge(shares)
            luma, chroma, near, far = heads.crops(maps[:2], planes, covered, corners)
            masks = torch.sigmoid(heads.masks(luma, chroma, near, far, torch.zeros_like(near[:, :1]))[0])
            weights = mask_weights(masks)
            pooled = torch.stack([pool_map(plane, covered, corners, weights) for plane in maps], 1)
            picture = small_picture(luma, chroma)
            observed.append(Things(view.frame.scene, view.frame.index, copy, numbers, pooled, weights, picture))
    return observed


def by_scene(observed: list[Things]) -> list[list[Things]]:
    """Group by scene."""
    scenes: dict[str, list[Things]] = {}
    for things in observed:
        scenes.setdefault(things.scene, []).append(things)
    return list(scenes.values())


def embedding_losses(heads: ObjectHeads, scenes: list[list[Things]], rng: np.random.Generator, batch: int) -> dict[str, Tensor]:
    """Contrastive loss: the same object in other keyframes of its scene is near, all other objects are far."""
    chosen, labels = [], []
    for scene in rng.permutation(len(scenes))[:batch]:
        for pick in rng.permutation(len(scenes[scene]))[:KEYFRAMES_PER_SCENE]:
            things = scenes[scene][pick]
            chosen.append((things.pooled, things.weights, relight(things.picture, rng)))
            labels.append(int(scene) * 1000 + things.numbers)
    pooled, weights, picture = (torch.cat(values) for values in zip(*chosen, strict=True))
    embeddings = heads.embeddings(pooled * (1 + 0.05 * torch.randn_like(pooled)), weights, picture)
    return {"contrast": contrast(embeddings, torch.from_numpy(np.concatenate(labels)))}


def relight(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """Change light and white balance of a whole keyframe."""
    gain, shift = float(rng.uniform(0.8, 1.2)), torch.from_numpy(rng.normal(0, 0.08, (1, 3, 1, 1)).astype(np.float32))
    return picture * gain + shift


def contrast(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Supervised contrastive loss of embeddings [N, D] with labels [N]."""
    likeness = embeddings @ embeddings.T / TEMPERATURE
    itself = torch.eye(len(labels), dtype=torch.bool)
    likeness = likeness.masked_fill(itself, -1e9)
    same = (labels[:, None] == labels[None]) & ~itself
    log_share = likeness - torch.logsumexp(likeness, 1, keepdim=True)
    some = same.any(1)
    return -((log_share * same).sum(1)[some] / same.sum(1)[some]).mean()


@torch.no_grad()
def embedding_scores(heads: ObjectHeads, views: list[View]) -> dict[str, Any]:
    """Re-identification within a scene over 2 s or more: embeddings, pooled features, and colours."""
    heads.eval()
    scenes = by_scene(observe(heads, views, 1, 0.03))
    return {name: rank(scenes, function) for name, function in describers(heads).items()}


def describers(heads: ObjectHeads) -> dict[str, Callable[[Things], Tensor]]:
    """The embeddings and the baselines: each returns [N, D] of length 1."""
    return {
        "embeddings": lambda t: heads.embeddings(t.pooled, t.weights, t.picture),
        "pooled features, no projector": lambda t: unit(torch.cat([unit(t.pooled[:, k]) for k in range(3)], 1)),
        "mean colour": mean_colour,
    }


def unit(x: Tensor) -> Tensor:
    """Scale rows to length 1."""
    return x / (x.norm(dim=1, keepdim=True) + 1e-6)


def mean_colour(things: Things) -> Tensor:
    """Mean colour under the mask, as a unit vector."""
    weight = things.weights[:, None]
    colour = (things.picture * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-6)
    # A distance expressed as a cosine: each colour becomes a point on the unit sphere.
    return unit(torch.cat([colour, torch.ones(len(colour), 1)], 1))


def rank(scenes: list[list[Things]], describe: Callable[[Things], Tensor]) -> dict[str, Any]:
    """AUC, rank-1 and cosines of the same and of other objects."""
    same_scores, other_scores, firsts = [], [], []
    for scene in scenes:
        described = [(things, describe(things)) for things in scene]
        for a, embeddings in described:
            for b, gallery in described:
                if b.index - a.index < APART_FRAMES:
                    continue
                likeness = (embeddings @ gallery.T).numpy()
                same = a.numbers[:, None] == b.numbers[None]
                same_scores.append(likeness[same])
                other_scores.append(likeness[~same])
                known = same.any(1) & (len(b.numbers) > 1)
                firsts += list(same[known, likeness[known].argmax(1)]) if known.any() else []
    same, other = np.concatenate(same_scores), np.concatenate(other_scores)
    return {
        "auc": round(area_under_curve(same, other), 4),
        "rank-1": mean(firsts),
        "queries": len(firsts),
        "mean cosine, same": mean(same),
        "mean cosine, other": mean(other),
        "cosine that 5 % of others exceed": round(float(np.quantile(other, 0.95)), 3),
        "share of same above it": mean(same > np.quantile(other, 0.95)),
    }


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive is above a negative; ties count half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * len(negative)))
