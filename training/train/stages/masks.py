"""Stage `masks`: outline and its predicted quality from a box and optionally a point."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.data.pixels.samples import View, fractions, jitter, pick_points, target_masks, tensors
from training.models.object_heads import MASK_SIDE, ObjectHeads, enlarge, point_heat
from training.train.run import mean

THINGS_PER_FRAME = 8
BOX_JITTER = 0.05
POINT_SHARE = 0.4
BLIND_SHARE = 0.15
SIZE_LIMITS_PX = {"small (< 48 px)": (0, 48), "middle (48-120 px)": (48, 120), "large (> 120 px)": (120, 1e9)}


def mask_losses(heads: ObjectHeads, views: list[View], rng: np.random.Generator, batch: int) -> dict[str, Tensor]:
    """Losses over the objects of `batch` random keyframes."""
    crops: list[tuple[Tensor, ...]] = []
    targets: list[Tensor] = []
    while len(crops) < batch:
        view = views[rng.integers(len(views))]
        numbers, boxes = view.things
        if not len(numbers):
            continue
        chosen = rng.permutation(len(numbers))[:THINGS_PER_FRAME]
        shares = fractions(view, jitter(rng, boxes[chosen], BOX_JITTER))
        maps, planes, covered = tensors(view.frame)
        corners = enlarge(shares)
        heat = point_heat(torch.from_numpy(pick_points(rng, view, numbers[chosen], POINT_SHARE)), corners)
        crops.append((*heads.crops(maps[:2], planes, covered, corners), heat))
        targets.append(functional.avg_pool2d(target_masks(view, numbers[chosen], shares)[:, None], 2)[:, 0])
    inputs = disturb([torch.cat(values) for values in zip(*crops, strict=True)], rng)
    target = torch.cat(targets)
    if rng.random() < 0.5:
        inputs, target = [values.flip(-1) for values in inputs], target.flip(-1)
    logits, quality, coarse = heads.masks(*inputs)
    return losses_of(logits, quality, coarse, target)


def disturb(inputs: list[Tensor], rng: np.random.Generator) -> list[Tensor]:
    """Vary lighting and noise per crop; drop the feature maps in some crops and the colour in others."""
    luma, chroma, near, far, heat = inputs
    count = len(luma)
    gain = torch.from_numpy(rng.uniform(0.6, 1.4, (count, 1, 1, 1)).astype(np.float32))
    luma = luma * gain + torch.randn_like(luma) * torch.rand(count, 1, 1, 1) * 6

    def keep(dropped: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1) >= dropped).float()

    chroma = (chroma - 128) * keep(0.1) * gain + 128
    return [luma, chroma, near * keep(BLIND_SHARE), far * keep(BLIND_SHARE), heat]


def losses_of(logits: Tensor, quality: Tensor, coarse: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Cross entropy, Dice, coarse and quality losses of logits [N, S, S] against targets [N, S, S]."""
    share = torch.sigmoid(logits)
    overlap = (share * target).sum((1, 2))
    dice = 1 - (2 * overlap + 1) / (share.square().sum((1, 2)) + target.square().sum((1, 2)) + 1)
    with torch.no_grad():
        on, want = logits > 0, target >= 0.5
        iou = (on & want).sum((1, 2)) / ((on | want).sum((1, 2)) + 1e-6)
    small = functional.avg_pool2d(target[:, None], 4)
    return {
        "cross_entropy": functional.binary_cross_entropy_with_logits(logits, target),
        "dice": dice.mean(),
        "coarse": 0.5 * functional.binary_cross_entropy_with_logits(coarse, small),
        "quality": 0.3 * functional.binary_cross_entropy_with_logits(quality, iou),
    }


@torch.no_grad()
def mask_scores(heads: ObjectHeads, views: list[View], box_jitter: float = 0.03) -> dict[str, Any]:
    """Mean IoU on held-out scenes at twice the resolution of the grid, with boxes off by 3 %, and that of the filled box."""
    heads.eval()
    rng = np.random.default_rng(1)
    rows: list[tuple[float, float, float, float, float]] = []
    for view in views:
        numbers, boxes = view.things
        if not len(numbers):
            continue
        shares = fractions(view, jitter(rng, boxes, box_jitter))
        maps, planes, covered = tensors(view.frame)
        want = target_masks(view, numbers, shares) > 0
        points = torch.from_numpy(pick_points(rng, view, numbers, 1.0))
        ious: list[Tensor] = []
        predicted = torch.zeros(len(numbers))
        for prompt in (torch.zeros_like(points), points):
            masks, quality, *_ = heads(*maps, *planes, covered, shares, prompt)
            fine = functional.interpolate(masks[:, None], scale_factor=2, mode="bilinear")[:, 0] > 0.5
            ious.append(iou_of(fine, want))
            if not len(ious) > 1:  # quality of the box prompt
                predicted = quality
        filled = iou_of(box_mask(len(numbers)), want)
        rows += zip(boxes[:, 3], ious[0].tolist(), ious[1].tolist(), filled.tolist(), predicted.tolist(), strict=True)
    return table(np.array(rows))


def table(rows: np.ndarray) -> dict[str, Any]:
    """Summary of rows (height, IoU by box, IoU with a point, IoU of the filled box, predicted quality)."""
    heights, box, point, filled, predicted = rows.T
    scores: dict[str, Any] = {
        "things": len(rows),
        "iou": mean(box),
        "iou with a point": mean(point),
        "iou of the filled box": mean(filled),
    }
    scores["share over 0.75"] = mean(box > 0.75)
    for name, (low, high) in SIZE_LIMITS_PX.items():
        chosen = (heights >= low) & (heights < high)
        scores[name] = {"things": int(chosen.sum()), "iou": mean(box[chosen]), "filled box": mean(filled[chosen])}
    scores["quality, correlation with IoU"] = round(float(np.corrcoef(predicted, box)[0, 1]), 3)
    scores["quality, mean error"] = mean(np.abs(predicted - box))
    return scores


def iou_of(on: Tensor, want: Tensor) -> Tensor:
    """IoU [N] of masks [N, S, S]."""
    return (on & want).sum((1, 2)) / ((on | want).sum((1, 2)) + 1e-6)


def box_mask(count: int) -> Tensor:
    """Filled boxes on the doubled grid, bool [count, S, S]."""
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    corners = enlarge(whole)
    steps = (torch.arange(2 * MASK_SIDE) + 0.5) / (2 * MASK_SIDE)
    at = corners[0, 0] + (corners[0, 2] - corners[0, 0]) * steps
    inside = (at > 0) & (at < 1)
    return (inside[:, None] & inside[None]).expand(count, -1, -1)
