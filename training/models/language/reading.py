"""Auxiliary heads that read the prefix during alignment: positions, motion, next events, identical appearances.

They make the fusion core put the object of slot k into vector k, at a twentieth of the cost of the language model. Only the
core
is kept.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.language.fused import draw_appearances, draw_scene_embeddings
from training.models.language.fusion import STEPS, FusionInputs, fitted_velocity, newest_seen

LAGS = (20, 10, 0)
DIRECTIONS, PACES, SINGLES, PAIRS = 5, 3, 5, 2
COPIED = 0.5
QUERIES = 12
"""Number of queries to compute: the reader uses those of the slots only."""


class Reader(nn.Module):
    """Heads on the prefix vectors of the slots."""

    def __init__(self, prefix: int, width: int = 192):
        super().__init__()
        answers = 20 * (len(LAGS) + 1) + DIRECTIONS + PACES + SINGLES
        self.one = nn.Sequential(nn.LayerNorm(prefix), nn.Linear(prefix, width), nn.GELU(), nn.Linear(width, answers))
        self.first, self.second = nn.Linear(prefix, width), nn.Linear(prefix, width)
        self.two = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, PAIRS))
        self.identity = nn.Linear(prefix, 64)
        self.sharpness = nn.Parameter(torch.tensor(5.0))

    def forward(self, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Own [B, N, prefix].

        Return answers about each object, about each pair [B, N, N, 2], and logits [B, N, N] that two objects look alike.
        """
        pairs = self.two(self.first(own)[:, :, None] + self.second(own)[:, None])
        appearances = functional.normalize(self.identity(own), dim=-1)
        return self.one(own), pairs + pairs.transpose(1, 2), (appearances @ appearances.transpose(1, 2) - 0.5) * self.sharpness


def tenths_of(boxes: Tensor, aspect: Tensor) -> Tensor:
    """Digits [..., 4] of centre and size of boxes [B, ..., 4]."""
    wide = aspect.reshape(-1, *[1] * (boxes.dim() - 2))
    x, y, w, h = boxes.unbind(-1)
    return (torch.stack([(x + w / 2) / wide, y + h / 2, w / wide, h], -1) * 10).floor().clamp(0, 9).long()


def motion_of(rows: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Direction (none, right, left, down, up) and pace (still, slow, fast) [B, N]."""
    x, y, w, h = rows["boxes"].unbind(-1)
    upright = ((rows["kind"] == 0) | (rows["kind"] == 2)).float()[..., None]
    places = torch.stack([x + w / 2, y + h * (0.5 + 0.5 * upright)], -1)
    velocity = fitted_velocity(places, rows["seen"], 7) / newest_seen(rows["boxes"], rows["seen"])[0][..., 3:].clamp(min=0.01)
    speed = velocity.norm(dim=-1)
    sideways = velocity[..., 0].abs() > velocity[..., 1].abs()
    direction = torch.where(sideways, 2 - (velocity[..., 0] > 0).long(), 4 - (velocity[..., 1] > 0).long())
    return torch.where(speed < 0.15, 0, direction), (speed >= 0.15).long() + (speed >= 1).long()


def draw_identities(valid: Tensor) -> Tensor:
    """Identities [B, N]; in half of the scenes two objects look alike."""
    batch, count = valid.shape
    identity = torch.arange(count).repeat(batch, 1)
    copied = torch.rand(batch) < COPIED
    a, b = torch.randint(count, (2, batch))
    identity[torch.arange(batch)[copied], a[copied]] = b[copied]
    return identity


def example_inputs(rows: dict[str, Tensor]) -> tuple[FusionInputs, Tensor, Tensor]:
    """Inputs of the core for a batch of examples with shuffled slots; the slots and the identities."""
    valid = rows["seen"].amax(-1)
    batch, count = valid.shape
    tracks = rows["boxes"], rows["seen"], rows["kind"].clamp(min=0), rows["age"], rows["aspect"]
    slot = torch.rand(batch, count).argsort(1)
    identity = draw_identities(valid)
    return FusionInputs(*tracks, slot, draw_appearances(identity, valid), valid, *draw_scene_embeddings(batch)), slot, identity


def known(logits: Tensor, target: Tensor, where: Tensor) -> Tensor:
    """Mean cross entropy where `where` is true, 0 if it is nowhere."""
    return functional.cross_entropy(logits[where], target[where]) if where.any() else logits.sum() * 0


def chance_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Binary cross entropy; label [..., bins + 1]: shares with that of `not` last, NaN where unknown."""
    chance = 1 - label[..., -1]
    where = torch.isfinite(chance)
    return (
        functional.binary_cross_entropy_with_logits(logits[where], chance[where].clamp(0, 1)) if where.any() else logits.sum() * 0
    )


def reading_losses(core: nn.Module, reader: Reader, rows: dict[str, Tensor]) -> dict[str, Tensor]:
    """Losses of the reader by task."""
    inputs, slot, identity = example_inputs(rows)
    prefix = core(inputs, QUERIES)
    own = prefix.gather(1, slot[..., None].expand(-1, -1, prefix.shape[-1]))
    one, pairs, alike = reader(own)
    boxes, seen, valid = rows["boxes"], rows["seen"], inputs.valid > 0
    found: dict[str, Tensor] = {"cell": one.sum() * 0}
    for at, lag in enumerate(LAGS):
        digits = tenths_of(boxes[:, :, STEPS - 1 - lag], rows["aspect"])
        there = seen[:, :, STEPS - 1 - lag] > 0
        for axis in range(2):
            start = (at * 2 + axis) * 10
            found["cell"] = found["cell"] + known(one[..., start : start + 10], digits[..., axis], there) / 6
    sizes, start = tenths_of(boxes[:, :, -1], rows["aspect"])[..., 2:], 60
    there = seen[:, :, -1] > 0
    found["size"] = sum(known(one[..., start + k * 10 : start + k * 10 + 10], sizes[..., k], there) for k in (0, 1)) / 2
    direction, pace = motion_of(rows)
    found["way"] = known(one[..., 80 : 80 + DIRECTIONS], direction, there)
    found["pace"] = known(one[..., 80 + DIRECTIONS : 80 + DIRECTIONS + PACES], pace, there)
    found["single"] = chance_loss(one[..., -SINGLES:], rows["single"])
    found["pair"] = chance_loss(pairs, rows["pair"])
    given = inputs.appearances.norm(dim=-1) > 0
    both = (valid & given)[:, :, None] & (valid & given)[:, None] & ~torch.eye(valid.shape[1], dtype=torch.bool)
    same = (identity[:, :, None] == identity[:, None]).float()
    found["same"] = functional.binary_cross_entropy_with_logits(alike[both], same[both]) if both.any() else alike.sum() * 0
    return found
