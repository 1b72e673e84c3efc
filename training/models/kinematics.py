"""Motion features computed inside the graphs: heights, positions, velocities, gaps.

Tensors are [B, N, T, ...]: scenes, objects, steps at 10 Hz, newest last. Lengths are in frame heights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

HZ = 10
UPRIGHT_KINDS = (0, 2)
BORDER = 0.03
MIN_SIZE = 0.004
MAX_BRAKING = 2.0
"""Frame heights per s²."""
MAX_LENGTH = 8.0
"""Coordinates are clamped to this many frame heights."""


@dataclass(frozen=True)
class Motion:
    """Cleaned tracks.

    boxes [B, N, T, 4]; seen [B, N, T]; valid [B, N] (seen at all); last [B, N, T] one-hot of the newest visible step; centre,
    position [B, N, T, 2], 0 where unseen; height [B, N] median of the last visible second; now [B, N, 4] newest box.
    """

    boxes: Tensor
    seen: Tensor
    valid: Tensor
    last: Tensor
    centre: Tensor
    position: Tensor
    height: Tensor
    now: Tensor
    upright: Tensor

    def at_last(self, series: Tensor) -> Tensor:
        """Value of a series [B, N, T, C] at the newest visible step: [B, N, C]."""
        return (series * self.last[..., None]).sum(2)


def squash(x: Tensor, scale: float = 4.0) -> Tensor:
    """Linear near 0, bounded by ± scale, so that no feature is huge whatever the boxes are."""
    return x / (1 + x.abs() / scale)


def clean(values: Tensor, low: float, high: float) -> Tensor:
    """Replace NaN by 0 and clamp."""
    return torch.where(torch.isnan(values), torch.zeros_like(values), values).clamp(low, high)


def motion_of(boxes: Tensor, seen: Tensor, kind: Tensor) -> Motion:
    """Clean boxes [B, N, T, 4] and seen [B, N, T]; kind [B, N]."""
    seen = (clean(seen, 0, 1) > 0.5).to(boxes.dtype)
    corner = clean(boxes[..., :2], -MAX_LENGTH, MAX_LENGTH)
    size = clean(boxes[..., 2:], MIN_SIZE, MAX_LENGTH)
    boxes = torch.cat([corner, size], -1) * seen[..., None]
    upright = ((kind == UPRIGHT_KINDS[0]) | (kind == UPRIGHT_KINDS[1])).to(boxes.dtype)
    centre = boxes[..., :2] + boxes[..., 2:] / 2
    foot = torch.stack([centre[..., 0], boxes[..., 1] + boxes[..., 3]], -1)
    position = centre + (foot - centre) * upright[..., None, None]
    steps = torch.arange(1, boxes.shape[2] + 1, dtype=boxes.dtype, device=boxes.device)
    newest = (seen * steps).amax(2, keepdim=True)
    last = (steps == newest).to(boxes.dtype) * seen
    now = (boxes * last[..., None]).sum(2)
    valid = (newest[..., 0] > 0).to(boxes.dtype)
    return Motion(boxes, seen, valid, last, centre, position, height_of(boxes, seen, newest, steps), now, upright)


def height_of(boxes: Tensor, seen: Tensor, newest: Tensor, steps: Tensor) -> Tensor:
    """Median height [B, N] over the second before the newest visible step."""
    recent = seen * (steps > newest - HZ).to(seen.dtype)
    heights = boxes[..., 3] * recent + 2 * MAX_LENGTH * (1 - recent)
    ordered = torch.topk(heights, HZ, dim=2, largest=False, sorted=True).values
    middle = ((recent.sum(2, keepdim=True) - 1) / 2).clamp(min=0).floor()
    pick = (torch.arange(HZ, dtype=boxes.dtype, device=boxes.device) == middle).to(boxes.dtype)
    return (ordered * pick).sum(2).clamp(MIN_SIZE, MAX_LENGTH)


def slope(series: Tensor, seen: Tensor, before: int, after: int = 0) -> tuple[Tensor, Tensor]:
    """Least-squares slope per second over the visible steps t - before .. t + after.

    series [B, N, T, C]; returns the slope [B, N, T, C], 0 where fewer than 3 steps are visible, and where it is known [B, N,
    T].
    """
    batch, things, steps, channels = series.shape
    weight = seen[..., None]
    stacked = torch.cat([weight, series * weight], -1).permute(0, 1, 3, 2).reshape(-1, 1, steps)
    offsets = torch.arange(-before, after + 1, dtype=series.dtype, device=series.device) / HZ
    kernel = torch.stack([torch.ones_like(offsets), offsets, offsets * offsets]).unsqueeze(1)
    sums = functional.conv1d(functional.pad(stacked, (before, after)), kernel).reshape(batch, things, channels + 1, 3, steps)
    count, first, second = sums[:, :, :1, 0], sums[:, :, :1, 1], sums[:, :, :1, 2]
    value, moment = sums[:, :, 1:, 0], sums[:, :, 1:, 1]
    spread = count * second - first * first
    known = (count > 2.5).to(series.dtype)
    rate = (count * moment - first * value) / spread.clamp(min=1e-4) * known
    return rate.permute(0, 1, 3, 2), known[:, :, 0]


def bend(series: Tensor, seen: Tensor, before: int) -> tuple[Tensor, Tensor]:
    """Velocity and acceleration at each step by a least-squares parabola over the visible steps t - before .. t.

    series [B, N, T, 2]; both [B, N, T, 2]. Where fewer than 5 steps are visible: the slope of a line, and 0.
    """
    batch, things, steps, channels = series.shape
    weight = seen[..., None]
    stacked = torch.cat([weight, series * weight], -1).permute(0, 1, 3, 2).reshape(-1, 1, steps)
    offsets = torch.arange(-before, 1, dtype=series.dtype, device=series.device) / HZ
    kernel = torch.stack([offsets**power for power in range(5)]).unsqueeze(1)
    sums = functional.conv1d(functional.pad(stacked, (before, 0)), kernel).reshape(batch, things, channels + 1, 5, steps)
    s0, s1, s2, s3, s4 = sums[:, :, :1].unbind(3)
    p0, p1, p2 = sums[:, :, 1:, :3].unbind(3)
    minors = (s2 * s4 - s3 * s3, s1 * s4 - s2 * s3, s1 * s3 - s2 * s2)
    whole = s0 * minors[0] - s1 * minors[1] + s2 * minors[2]
    known = ((s0 > 4.5) & (whole > 1e-7)).to(series.dtype)
    whole = torch.where(known > 0, whole, torch.ones_like(whole))
    rate = (-p0 * minors[1] + p1 * (s0 * s4 - s2 * s2) - p2 * (s0 * s3 - s1 * s2)) / whole * known
    bent = 2 * (p0 * minors[2] - p1 * (s0 * s3 - s1 * s2) + p2 * (s0 * s2 - s1 * s1)) / whole * known
    line, _ = slope(series, seen, before)
    known = known.permute(0, 1, 3, 2)
    return rate.permute(0, 1, 3, 2) + line * (1 - known), bent.permute(0, 1, 3, 2)


def braking(velocity: Tensor, acceleration: Tensor) -> Tensor:
    """Deceleration [..., 1], 0 where speed does not decrease; at most MAX_BRAKING."""
    return (-(velocity * acceleration).sum(-1, keepdim=True) / length(velocity)).clamp(0, MAX_BRAKING)


def carried(velocity: Tensor, brake: Tensor, seconds: Tensor | float) -> Tensor:
    """Displacement after `seconds` (≥ 0) of straight motion that brakes evenly until it stops."""
    speed = length(velocity)
    moving = torch.minimum(speed / brake.clamp(min=1e-3), seconds + torch.zeros_like(speed))
    return velocity * (moving - 0.5 * brake * moving * moving / speed)


def border_gaps(boxes: Tensor, aspect: Tensor) -> Tensor:
    """Gaps [..., 4] from the box to the left, right, top and bottom side of the frame; aspect broadcasts with [...]."""
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x, aspect - x - w, y, 1 - y - h], -1)


def box_gaps(boxes: Tensor, others: Tensor) -> Tensor:
    """Gaps [..., 3] of two boxes in x, in y (negative where they overlap), and between them (0 where they touch)."""
    apart = (boxes[..., :2] + boxes[..., 2:] / 2 - others[..., :2] - others[..., 2:] / 2).abs()
    gap = apart - (boxes[..., 2:] + others[..., 2:]) / 2
    outside = gap.clamp(min=0)
    return torch.cat([gap, length(outside)], -1)


def length(vectors: Tensor) -> Tensor:
    """Norm [..., 1]; smooth at 0, so that gradients stay finite."""
    return (vectors * vectors).sum(-1, keepdim=True).add(1e-8).sqrt()
