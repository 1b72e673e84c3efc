"""Cause head: without which objects would an event not have happened? From 10 s of tracks and the contacts that memory told."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.models.cause_features import (
    MOMENT_CHANNELS,
    NODE_CHANNELS,
    REACH_CHANNELS,
    STATIC,
    Near,
    Reach,
    Sights,
    moment_features,
    node_features,
    static_features,
)  # fmt: skip
from training.models.interaction import Interaction, mlp
from training.models.kinematics import Motion, motion_of

EVENT_TYPES = 19
ROLES = 3
WIDTH, PAIR_WIDTH, HEADS, INNER, LAYERS = 128, 48, 4, 256, 3
MOMENT_WIDTH, POOLS = 24, 2


class CauseHead(nn.Module):
    """Logits [B, N] of P(without this object the event does not happen)."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv1d(NODE_CHANNELS, 40, 5, padding=2, stride=2), nn.GELU(),
            nn.Conv1d(40, 48, 5, padding=2, stride=2), nn.GELU(), nn.Flatten(), nn.Linear(48 * 9, WIDTH),
        )  # fmt: skip
        self.event = nn.Embedding(EVENT_TYPES, WIDTH)
        self.static = mlp(STATIC, 48, WIDTH)
        # The one part that runs per pair and moment: kept narrow, and ReLU because GELU costs more than the products here.
        self.moments = nn.Sequential(nn.Linear(MOMENT_CHANNELS, 32), nn.ReLU(), nn.Linear(32, MOMENT_WIDTH), nn.ReLU())
        self.attend = nn.Linear(MOMENT_WIDTH, POOLS)
        self.pairs = mlp(POOLS * MOMENT_WIDTH + REACH_CHANNELS + 2 * ROLES, 64, PAIR_WIDTH)
        self.layers = nn.ModuleList(Interaction(WIDTH, PAIR_WIDTH, HEADS, INNER) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.decide = mlp(3 * WIDTH + 4 * PAIR_WIDTH, 128, 1)
        # Set after training so that probabilities agree with the counterfactuals of validation.
        self.register_buffer("scale", torch.ones(1))
        self.register_buffer("shift", torch.zeros(1))

    def forward(
        self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor, event: Tensor, role: Tensor, contact: Tensor
    ) -> tuple[Tensor, Tensor]:
        """boxes [B, N, 100, 4], seen [B, N, 100], kind, age, role [B, N], aspect, event [B], contact [B, N, N, 2]; logits, valid."""
        batch, things = age.shape
        motion = motion_of(boxes, seen, kind)
        roles = (role[..., None] == torch.arange(ROLES, device=role.device)).to(boxes.dtype)
        sights = Sights(motion)
        reach = Reach(contact, roles)
        series = node_features(motion, sights, roles, aspect).reshape(batch * things, -1, NODE_CHANNELS)
        nodes = self.steps(series.transpose(1, 2)).reshape(batch, things, WIDTH)
        nodes = nodes + self.static(static_features(motion, kind, age, roles, reach)) + self.event(event)[:, None]
        pairs = self.pair_states(motion, sights, roles, reach)
        for layer in self.layers:
            nodes = layer(nodes, pairs, motion.valid)
        nodes = self.norm(nodes)
        return self.decided(nodes, pairs, roles), motion.valid

    def pair_states(self, motion: Motion, sights: Sights, roles: Tensor, reach: Reach) -> Tensor:
        """[B, N, N, 48]: what passed between two objects, at the moments that matter."""
        every = sights.moments(motion)
        near = Near(every, roles, reach)
        moments, both = moment_features(every, near, roles, reach)
        states = self.moments(moments)
        share = torch.softmax(self.attend(states) - (1 - both[..., None]) * 30, 1)
        pooled = near.spread((share.transpose(1, 2) @ states).flatten(1))
        things = roles.shape[1]
        mine = roles[:, :, None].expand(-1, -1, things, -1)
        other = roles[:, None].expand(-1, things, -1, -1)
        return self.pairs(torch.cat([pooled, reach.pairs(), mine, other], -1))

    def decided(self, nodes: Tensor, pairs: Tensor, roles: Tensor) -> Tensor:
        """From the object, both participants, and how it stands to each of them."""
        told = [nodes]
        for part in (1, 2):
            told.append((nodes * roles[..., part : part + 1]).sum(1, keepdim=True).expand_as(nodes))
            told.append((pairs * roles[:, None, :, part : part + 1]).sum(2))
            told.append((pairs * roles[:, :, None, part : part + 1]).sum(1))
        return self.decide(torch.cat(told, -1))[..., 0]

    def calibrated(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits * self.scale + self.shift)


class CauseGraph(nn.Module):
    """One event, as docs/fused-model.md names it: necessary [N], 0 for objects that were never in view."""

    def __init__(self, model: CauseHead):
        super().__init__()
        self.model = model

    def forward(
        self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor, event: Tensor, role: Tensor, contact: Tensor
    ) -> Tensor:
        logits, valid = self.model(boxes[None], seen[None], kind[None], age[None], aspect, event, role[None], contact[None])
        return (self.model.calibrated(logits) * valid)[0]
