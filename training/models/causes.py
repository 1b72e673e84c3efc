"""Cause head: objects without which an event would not have happened, from 10 s of tracks and the reported contacts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.models.cause_features import (
    MOMENT_CHANNELS,
    NODE_CHANNELS,
    REACH_CHANNELS,
    STATIC,
    MotionStates,
    Near,
    Reach,
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
        # Runs per pair and moment: narrow, and with ReLU because GELU would cost more than the products.
        self.moments = nn.Sequential(nn.Linear(MOMENT_CHANNELS, 32), nn.ReLU(), nn.Linear(32, MOMENT_WIDTH), nn.ReLU())
        self.attend = nn.Linear(MOMENT_WIDTH, POOLS)
        self.pairs = mlp(POOLS * MOMENT_WIDTH + REACH_CHANNELS + 2 * ROLES, 64, PAIR_WIDTH)
        self.layers = nn.ModuleList(Interaction(WIDTH, PAIR_WIDTH, HEADS, INNER) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.decide = mlp(3 * WIDTH + 4 * PAIR_WIDTH, 128, 1)
        # Fitted after training on the counterfactuals of validation scenes.
        self.register_buffer("scale", torch.ones(1))
        self.register_buffer("shift", torch.zeros(1))

    def forward(
        self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor, event: Tensor, role: Tensor, contact: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return logits and valid [B, N].

        boxes [B, N, 100, 4], seen [B, N, 100], kind, age, role [B, N], aspect, event [B], contact [B, N, N, 2].
        """
        batch, things = age.shape
        motion = motion_of(boxes, seen, kind)
        roles = (role[..., None] == torch.arange(ROLES, device=role.device)).to(boxes.dtype)
        states = MotionStates(motion)
        reach = Reach(contact, roles)
        series = node_features(motion, states, roles, aspect).reshape(batch * things, -1, NODE_CHANNELS)
        nodes = self.steps(series.transpose(1, 2)).reshape(batch, things, WIDTH)
        nodes = nodes + self.static(static_features(motion, kind, age, roles, reach)) + self.event(event)[:, None]
        pairs = self.pair_states(motion, states, roles, reach)
        for layer in self.layers:
            nodes = layer(nodes, pairs, motion.valid)
        nodes = self.norm(nodes)
        return self.decided(nodes, pairs, roles), motion.valid

    def pair_states(self, motion: Motion, states: MotionStates, roles: Tensor, reach: Reach) -> Tensor:
        """Interaction of each pair over the moments that matter, [B, N, N, 48]."""
        every = states.moments(motion)
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
        """Logits [B, N] from the object, both participants, and its relation to each of them."""
        features = [nodes]
        for role in (1, 2):
            features.append((nodes * roles[..., role : role + 1]).sum(1, keepdim=True).expand_as(nodes))
            features.append((pairs * roles[:, None, :, role : role + 1]).sum(2))
            features.append((pairs * roles[:, :, None, role : role + 1]).sum(1))
        return self.decide(torch.cat(features, -1))[..., 0]

    def calibrated(self, logits: Tensor) -> Tensor:
        """Probabilities from logits [B, N]."""
        return torch.sigmoid(logits * self.scale + self.shift)


class CauseGraph(nn.Module):
    """One event with the inputs of docs/fused-model.md: necessary [N], 0 for objects that were never in view."""

    def __init__(self, model: CauseHead):
        super().__init__()
        self.model = model

    def forward(
        self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor, event: Tensor, role: Tensor, contact: Tensor
    ) -> Tensor:
        """Return necessary [N]."""
        logits, valid = self.model(boxes[None], seen[None], kind[None], age[None], aspect, event, role[None], contact[None])
        return (self.model.calibrated(logits) * valid)[0]
