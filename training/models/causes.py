"""Cause head: without which objects would an event not have happened? From 10 s of tracks and the contacts that memory told."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .forecaster import BORDER_REACH, KINDS, clamped, difference
from .interaction import Interaction, mlp
from .kinematics import HZ, Motion, border_gaps, box_gaps, length, motion_of, slope, squash

STEPS = 100
AFTER_S = 0.4
EVENT_STEP = STEPS - 1 - round(AFTER_S * HZ)
EVENT_TYPES = 19
ROLES = 3
STRIDE = 3
"""Pairs are looked at every 0.3 s; the event's step is among these."""
OFFSET = EVENT_STEP % STRIDE
WIDTH, PAIR_WIDTH, HEADS, INNER, LAYERS = 128, 48, 4, 256, 3
NODE_CHANNELS, STATIC, MOMENT_CHANNELS, MOMENT_WIDTH, POOLS = 19, 18, 17, 24, 2
LONGEST_CHAIN = 6
NEVER_S = 20.0
CONTACT_FLOOR = 0.05
ORDER_SLACK_S = 0.15
CONTACT_SPREAD_S = 0.25


class CauseHead(nn.Module):
    """Logits [B, N] of P(without this object the event does not happen)."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv1d(NODE_CHANNELS, 40, 5, padding=2, stride=2), nn.GELU(),
            nn.Conv1d(40, 48, 5, padding=2, stride=2), nn.GELU(),
            nn.Conv1d(48, 56, 5, padding=2, stride=2), nn.GELU(), nn.Flatten(), nn.Linear(56 * 13, WIDTH),
        )  # fmt: skip
        self.event = nn.Embedding(EVENT_TYPES, WIDTH)
        self.static = mlp(STATIC, 48, WIDTH)
        # The one part that runs per pair and moment: kept narrow, and ReLU because GELU costs more than the products here.
        self.moments = nn.Sequential(
            nn.Linear(MOMENT_CHANNELS, 32), nn.ReLU(), nn.Linear(32, MOMENT_WIDTH), nn.ReLU()
        )
        self.attend = nn.Linear(MOMENT_WIDTH, POOLS)
        self.pairs = mlp(POOLS * MOMENT_WIDTH + 7 + 2 * ROLES, 64, PAIR_WIDTH)
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
        series = node_features(motion, sights, roles, aspect).reshape(batch * things, STEPS, NODE_CHANNELS)
        nodes = self.steps(series.transpose(1, 2)).reshape(batch, things, WIDTH)
        nodes = nodes + self.static(static_features(motion, kind, age, roles, reach)) + self.event(event)[:, None]
        pairs = self.pair_states(motion, sights, roles, reach)
        for layer in self.layers:
            nodes = layer(nodes, pairs, motion.valid)
        nodes = self.norm(nodes)
        return self.decided(nodes, pairs, roles), motion.valid

    def pair_states(self, motion: Motion, sights: Sights, roles: Tensor, reach: Reach) -> Tensor:
        """[B, N, N, 48]: what passed between two objects, at the moments that matter."""
        moments, both = moment_features(motion, sights, reach)
        states = self.moments(moments)
        score = self.attend(states) - (1 - both[..., None]) * 30
        share = torch.softmax(score, 3)
        pooled = torch.einsum("bijtp,bijtc->bijpc", share, states).flatten(3)
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
        logits, valid = self.model(
            boxes[None], seen[None], kind[None], age[None], aspect, event, role[None], contact[None]
        )
        return (self.model.calibrated(logits) * valid)[0]


class Sights:
    """Motion just before and just after each step, and where each object would be at the event, had it gone on as it went."""

    def __init__(self, motion: Motion):
        centre, seen = motion.centre, motion.seen
        self.size = (motion.now[..., 2] * motion.now[..., 3]).clamp(min=1e-6).sqrt()
        self.before, self.known_before = slope(centre, seen, 4)
        self.after, self.known_after = slope(centre, seen, 0, 4)
        steps = torch.arange(STEPS, dtype=seen.dtype, device=seen.device)
        early = seen * (steps <= EVENT_STEP).to(seen.dtype) * (steps + 1)
        newest = early.amax(2, keepdim=True)
        pick = ((early == newest) & (newest > 0)).to(seen.dtype)
        self.at_event = (centre * pick[..., None]).sum(2)
        self.there = (newest[..., 0] > 0).to(seen.dtype)
        self.left = ((EVENT_STEP - steps) / HZ)[:, None]
        self.unhindered = centre + self.before * self.left
        self.changed = (self.after - self.before) * (self.known_before * self.known_after)[..., None]


class Reach:
    """Who is joined to the participants by told contacts, backwards in time: the rule of transitive touch, with its times."""

    def __init__(self, contact: Tensor, roles: Tensor):
        contact = torch.where(torch.isnan(contact), torch.zeros_like(contact), contact)
        self.confidence = contact[..., 0].clamp(0, 1)
        self.seconds = contact[..., 1].clamp(0, NEVER_S)
        told = self.confidence > CONTACT_FLOOR
        never = torch.full_like(self.seconds, NEVER_S)
        when = torch.where(told, self.seconds, never)
        part = 1 - roles[..., 0]
        self.since = (1 - part) * NEVER_S
        self.trust, self.hops = part, part * LONGEST_CHAIN
        for step in range(1, LONGEST_CHAIN):
            # A contact matters to the event if it was before the time from which on the other's state matters.
            joins = told & (when > self.since[:, None] - ORDER_SLACK_S) & (self.since[:, None] < NEVER_S)
            self.since = torch.minimum(self.since, torch.where(joins, when, never).amin(2))
            carried = torch.where(joins, self.confidence * self.trust[:, None], torch.zeros_like(when))
            self.trust = torch.maximum(self.trust, carried.amax(2))
            self.hops = torch.maximum(self.hops, (self.since < NEVER_S).to(when.dtype) * (LONGEST_CHAIN - step))
        self.told = told.to(when.dtype)

    def nodes(self) -> Tensor:
        """[B, N, 4]"""
        reached = (self.since < NEVER_S).to(self.since.dtype)
        return torch.stack([reached, self.since * reached / 4, self.trust, self.hops / LONGEST_CHAIN], -1)

    def pairs(self) -> Tensor:
        """[B, N, N, 7]"""
        reached = (self.since < NEVER_S).to(self.since.dtype)
        later = (self.seconds - self.since[:, None]) * self.told * reached[:, None]
        sooner = (self.seconds - self.since[:, :, None]) * self.told * reached[:, :, None]
        joins = [(gap > -ORDER_SLACK_S).to(gap.dtype) * self.told for gap in (later, sooner)]
        told = [self.confidence, self.told, self.seconds / 4 * self.told, squash(later), squash(sooner)]
        return torch.stack([*told, joins[0] * reached[:, None], joins[1] * reached[:, :, None]], -1)


def node_features(motion: Motion, sights: Sights, roles: Tensor, aspect: Tensor) -> Tensor:
    """[B, N, T, 19], in sizes of the object."""
    size = sights.size[..., None, None]
    seen = motion.seen[..., None]
    home = sights.at_event[:, :, None]
    before, after = sights.before / size, sights.after / size
    speed = length(before)
    toward, reached = [], []
    for part in (1, 2):
        share = roles[..., part, None, None]
        path, shown = (motion.boxes * share).sum(1, keepdim=True), (seen * share).sum(1, keepdim=True)
        gap = box_gaps(motion.boxes, path.expand_as(motion.boxes))[..., 2:] / size
        toward.append(squash(gap) * shown)
        target = (sights.at_event * roles[..., part : part + 1]).sum(1)[:, None, None]
        reached.append(squash(length(sights.unhindered - target) / size))
    sides = border_gaps(motion.boxes, aspect[:, None, None])
    touch = (sides.amin(-1, keepdim=True) < BORDER_REACH).to(speed.dtype)
    shape = torch.stack([motion.boxes[..., 3] / size[..., 0] - 1, motion.boxes[..., 2] / size[..., 0] - 1], -1)
    missed = squash(length(sights.unhindered - home) / size)
    changed = squash(length(sights.changed / size))
    told = [squash((motion.centre - home) / size), squash(before), squash(after), squash(speed), changed, missed]
    told += [*toward, *reached, squash(shape), touch, sights.known_before[..., None]]
    moving = torch.sigmoid((speed - 0.25) / 0.08)
    return torch.cat([*(values * seen for values in told), seen, moving * seen], -1)


def static_features(motion: Motion, kind: Tensor, age: Tensor, roles: Tensor, reach: Reach) -> Tensor:
    """[B, N, 18]"""
    kinds = (kind[..., None] == torch.arange(KINDS, device=kind.device)).to(roles.dtype)
    direct = [(reach.told * roles[:, None, :, part]).sum(2) for part in (1, 2)]
    scalars = [torch.log(motion.height) + 2, torch.log1p(clamped(age)) - 1, motion.seen.mean(2)]
    scalars += [motion.seen[..., EVENT_STEP], motion.seen[..., EVENT_STEP - 20], *direct]
    return torch.cat([kinds, roles, torch.stack([squash(s) for s in scalars], -1), reach.nodes()], -1)


def moment_features(motion: Motion, sights: Sights, reach: Reach) -> tuple[Tensor, Tensor]:
    """[B, N, N, T / 3, 17] and whether both are in view [B, N, N, T / 3]: gap, approach, impulses, contact, what-if gaps."""

    def thin(series: Tensor) -> Tensor:
        return series[:, :, OFFSET::STRIDE]

    boxes, centre = thin(motion.boxes), thin(motion.centre)
    mean = ((sights.size[:, :, None] + sights.size[:, None]) / 2)[..., None, None]
    both = thin(motion.seen)[:, :, None] * thin(motion.seen)[:, None]
    gaps = box_gaps(boxes[:, :, None], boxes[:, None]) / mean
    apart = difference(centre)
    distance = length(apart)
    line = apart / distance.clamp(min=1e-3)
    before, after = difference(thin(sights.before)) / mean, difference(thin(sights.after)) / mean
    mine = thin(sights.changed)[:, :, None].expand_as(apart) / mean
    other = thin(sights.changed)[:, None].expand_as(apart) / mean

    def along(vectors: Tensor) -> Tensor:
        return squash((vectors * line).sum(-1, keepdim=True))

    left = sights.left[OFFSET::STRIDE].expand_as(distance)
    when = ((left - reach.seconds[..., None, None]) / CONTACT_SPREAD_S) ** 2
    contact = torch.exp(-when) * (reach.confidence * reach.told)[..., None, None]
    target = sights.at_event
    ahead = length(thin(sights.unhindered)[:, :, None] - target[:, None, :, None]) / mean
    behind = length(thin(sights.unhindered)[:, None] - target[:, :, None, None]) / mean
    met = length(difference(thin(sights.unhindered))) / mean
    told = [
        squash(gaps), squash(distance / mean), along(before), along(after), along(mine), along(other), squash(length(mine)),
        squash(length(other)), contact, squash(ahead), squash(behind), squash(met), left / 4, torch.sigmoid((0.15 - gaps[..., 2:]) / 0.05),
    ]  # fmt: skip
    sides = (boxes[..., 1] + boxes[..., 3])[..., None]
    told.append(squash(difference(sides) / mean))
    return torch.cat(told, -1) * both[..., None], both
