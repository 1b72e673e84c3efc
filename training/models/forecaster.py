"""Forecaster: next events of each object and each pair, and paths, from 3 s of tracks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from training.models.interaction import Interaction, mlp
from training.models.kinematics import (
    BORDER,
    HZ,
    Motion,
    bend,
    border_gaps,
    box_gaps,
    braking,
    carried,
    length,
    motion_of,
    slope,
    squash,
)

STEPS = 30
SINGLE_TYPES = ("exit", "stop", "start_moving", "turn", "loiter")
PAIR_TYPES = ("meet", "collide")
BINS = 6
MODES = 6
AHEAD = 30
KINDS = 4
WIDTH, PAIR_WIDTH, HEADS, INNER, LAYERS = 128, 48, 4, 256, 3
STEP_CHANNELS, STATIC, PAIR_FEATURES = 17, 50, 35
CURVES = 8
SLOW, MOVING = 0.15, 0.35
OLDEST_S = 7.0
"""Simulated scenes last 10 s, so ages are capped at this value."""
SPEED_WINDOWS = (3, 6, 15, 29)
BEND_WINDOW = 7
AHEAD_S = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)


class Forecaster(nn.Module):
    """Logits by scene: single [B, N, 5, 7], pair [B, N, N, 2, 7] (the last of 7: it does not happen), paths, modes."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv1d(STEP_CHANNELS, 48, 5, padding=2, stride=2), nn.GELU(),
            nn.Conv1d(48, 64, 5, padding=2, stride=2), nn.GELU(), nn.Flatten(), nn.Linear(64 * 8, WIDTH),
        )  # fmt: skip
        self.static = mlp(STATIC, 64, WIDTH)
        self.pairs = mlp(PAIR_FEATURES, 64, PAIR_WIDTH)
        self.layers = nn.ModuleList(Interaction(WIDTH, PAIR_WIDTH, HEADS, INNER) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.single = mlp(WIDTH, 128, len(SINGLE_TYPES) * (BINS + 1))
        self.pair_of = nn.Linear(2 * WIDTH + PAIR_WIDTH, 96)
        self.pair = mlp(96, 64, len(PAIR_TYPES) * (BINS + 1))
        self.path = mlp(WIDTH, 192, MODES * (3 * CURVES + 1))
        self.register_buffer("curves", curves())
        # Fitted after training on the actual outcomes of validation scenes, for the logit of "it happens".
        self.register_buffer("scale", torch.ones(len(SINGLE_TYPES) + len(PAIR_TYPES)))
        self.register_buffer("shift", torch.zeros(len(SINGLE_TYPES) + len(PAIR_TYPES)))
        # Events are rare, so the initial probabilities are low.
        for head, types in ((self.single, SINGLE_TYPES), (self.pair, PAIR_TYPES)):
            with torch.no_grad():
                head[-1].weight.mul_(0.1)
                head[-1].bias.copy_(torch.tensor([-3.5] * BINS + [0.0]).repeat(len(types)))

    def forward(
        self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Boxes [B, N, 30, 4], seen [B, N, 30], kind [B, N], age [B, N], aspect [B]; the last output is valid [B, N]."""
        nodes, pairs, motion = self.states(boxes, seen, kind, age, aspect)
        single = self.single(nodes).reshape(*age.shape, len(SINGLE_TYPES), BINS + 1)
        return single, self.pair_logits(nodes, pairs), *self.paths(nodes, motion), motion.valid

    def states(self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor) -> tuple[Tensor, Tensor, Motion]:
        """States of objects [B, N, 128] and pairs [B, N, N, 48] after interaction, and the motion."""
        motion = motion_of(boxes, seen, kind)
        velocity, known = slope(motion.position, motion.seen, 6)
        batch, things = age.shape
        series = step_features(motion, velocity, known, aspect).reshape(batch * things, STEPS, STEP_CHANNELS)
        nodes = self.steps(series.transpose(1, 2)).reshape(batch, things, WIDTH)
        nodes = nodes + self.static(static_features(motion, kind, age, aspect))
        pairs = self.pairs(pair_features(motion))
        for layer in self.layers:
            nodes = layer(nodes, pairs, motion.valid)
        return self.norm(nodes), pairs, motion

    def pair_logits(self, nodes: Tensor, pairs: Tensor) -> Tensor:
        """Logits [B, N, N, 2, 7], symmetric in the pair."""
        mine, other, edge = self.pair_of.weight.split([WIDTH, WIDTH, PAIR_WIDTH], 1)
        directed = (nodes @ mine.T)[:, :, None] + (nodes @ other.T)[:, None] + pairs @ edge.T + self.pair_of.bias
        directed = nn.functional.gelu(directed)
        logits = self.pair(directed + directed.transpose(1, 2))
        return logits.reshape(*pairs.shape[:3], len(PAIR_TYPES), BINS + 1)

    def paths(self, nodes: Tensor, motion: Motion) -> tuple[Tensor, Tensor]:
        """Paths [B, N, 6, 30, 3] (x, y, standard deviation) and their logits [B, N, 6].

        The network predicts residuals of constant velocity, in body heights.
        """
        batch, things, _ = nodes.shape
        values = self.path(nodes)
        shape = values[..., : MODES * 3 * CURVES].reshape(batch, things, MODES, CURVES, 3)
        curve = torch.einsum("ct,bnmck->bnmtk", self.curves, shape)
        height = motion.height[..., None, None, None]
        straight = motion.at_last(slope(motion.position, motion.seen, 6)[0])
        ahead = torch.arange(1, AHEAD + 1, dtype=nodes.dtype, device=nodes.device) / HZ
        base = motion.at_last(motion.position)[:, :, None] + straight[:, :, None] * ahead[:, None]
        place = base[:, :, None] + curve[..., :2] * height
        deviation = (nn.functional.softplus(curve[..., 2:] - 1) + 0.01) * height
        return torch.cat([place, deviation], -1), values[..., MODES * 3 * CURVES :]

    def calibrated(self, logits: Tensor, first: int) -> Tensor:
        """Probabilities of the bins [..., types, 6] with the shift and scale of the types from `first` on."""
        types = logits.shape[-2]
        happens, never = logits[..., :BINS], logits[..., BINS:]
        total = torch.logsumexp(happens, -1, keepdim=True)
        scale, shift = self.scale[first : first + types, None], self.shift[first : first + types, None]
        return torch.sigmoid((total - never) * scale + shift) * torch.softmax(happens, -1)


class ForecasterGraph(nn.Module):
    """One scene with the outputs of docs/fused-model.md: single, pair, paths, modes."""

    def __init__(self, model: Forecaster):
        super().__init__()
        self.model = model

    def forward(self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor) -> tuple[Tensor, ...]:
        """Return single [N, 5, 6], pair [N, N, 2, 6], paths [N, 6, 30, 3], modes [N, 6]."""
        single, pair, paths, modes, valid = self.model(boxes[None], seen[None], kind[None], age[None], aspect)
        alone = 1 - (torch.arange(age.shape[0])[:, None] == torch.arange(age.shape[0])).to(boxes.dtype)
        both = valid[0, :, None] * valid[0] * alone
        singles = self.model.calibrated(single, 0)[0] * valid[0, :, None, None]
        between = self.model.calibrated(pair, len(SINGLE_TYPES))[0] * both[..., None, None]
        return singles, between, paths[0], torch.softmax(modes, -1)[0]


def curves() -> Tensor:
    """Basis [8, 30] of path residuals: smooth bumps over the 3 s ahead, 0 at the present."""
    time = torch.arange(1, AHEAD + 1) / AHEAD
    centres = torch.linspace(0.1, 1.0, CURVES)
    bumps = torch.exp(-(((time[None] - centres[:, None]) / 0.14) ** 2))
    return bumps / bumps.sum(0, keepdim=True) * time.clamp(max=1) ** 0.5


def step_features(motion: Motion, velocity: Tensor, known: Tensor, aspect: Tensor) -> Tensor:
    """Features per step [B, N, T, 17], in body heights."""
    height = motion.height[..., None, None]
    away = squash((motion.position - motion.at_last(motion.position)[:, :, None]) / height)
    pace = squash(velocity / height)
    speed = length(velocity / height)
    sides = border_gaps(motion.boxes, aspect[:, None, None])
    touch = (sides.amin(-1, keepdim=True) < BORDER).to(speed.dtype)
    shape = torch.stack([motion.boxes[..., 3] / height[..., 0] - 1, motion.boxes[..., 2] / height[..., 0]], -1)
    states = torch.cat([torch.sigmoid((speed - SLOW) / 0.05), torch.sigmoid((speed - MOVING) / 0.05)], -1)
    features = [away, pace, squash(speed), states, squash(shape), squash(sides / height), touch, known[..., None]]
    seen = motion.seen[..., None]
    return torch.cat([*(values * seen for values in features), seen, seen - seen * known[..., None]], -1)


def static_features(motion: Motion, kind: Tensor, age: Tensor, aspect: Tensor) -> Tensor:
    """Features per object [B, N, 50]: kind, place, speeds over four spans, braking and where it leads."""
    height = motion.height[..., None]
    kinds = (kind[..., None] == torch.arange(KINDS, device=kind.device)).to(height.dtype)
    sides = border_gaps(motion.now, aspect[:, None])
    place = motion.at_last(motion.position)
    paces, outward = [], []
    for window in SPEED_WINDOWS:
        velocity = motion.at_last(slope(motion.position, motion.seen, window)[0])
        paces += [squash(velocity / height), squash(length(velocity / height))]
        if window in (6, 15):
            outgoing = torch.cat([-velocity[..., :1], velocity[..., :1], -velocity[..., 1:], velocity[..., 1:]], -1)
            outward.append((sides.clamp(min=0) / outgoing.clamp(min=0.002)).clamp(max=6) / 3)
    weight = motion.seen[..., None]
    middle = (motion.position * weight).sum(2) / weight.sum(2).clamp(min=1)
    strayed = (length(motion.position - middle[:, :, None]) * weight).amax(2) / height
    steps = torch.arange(motion.seen.shape[2], dtype=height.dtype, device=height.device)
    unseen = motion.seen.shape[2] - 1 - (motion.last * steps).sum(2)
    scalars = [
        torch.log(motion.height) + 2, torch.log1p(clamped(age)) - 1, motion.seen.mean(2), unseen / HZ,
        place[..., 0] / aspect[:, None].clamp(min=0.1), place[..., 1], motion.now[..., 2] / motion.height,
    ]  # fmt: skip
    velocity, brake, turning = course(motion)
    beyond = []
    for seconds in AHEAD_S:
        moved = torch.cat([motion.now[..., :2] + carried(velocity, brake, seconds), motion.now[..., 2:]], -1)
        beyond.append(squash(border_gaps(moved, aspect[:, None]).amin(-1, keepdim=True) / height))
    halt = (length(velocity) / brake.clamp(min=0.01)).clamp(max=6) / 3
    paces += [*beyond, halt, squash(brake / height), squash(turning / height), squash(velocity / height)]
    paces.append(squash(length(carried(velocity, brake, 3.0)) / height))
    paces.append(motion.seen[..., -1:])
    features = [kinds, squash(strayed), squash(sides), torch.stack([squash(s) for s in scalars], -1), *paces, *outward]
    return torch.cat([*features, motion.upright[..., None]], -1)


def course(motion: Motion) -> tuple[Tensor, Tensor, Tensor]:
    """Velocity [B, N, 2], braking [B, N, 1] and sideways acceleration [B, N, 1] at the newest visible step."""
    velocity, acceleration = (motion.at_last(series) for series in bend(motion.position, motion.seen, BEND_WINDOW))
    sideways = (velocity[..., :1] * acceleration[..., 1:] - velocity[..., 1:] * acceleration[..., :1]) / length(velocity)
    return velocity, braking(velocity, acceleration), sideways


def clamped(age: Tensor) -> Tensor:
    """Ages from 0 to OLDEST_S, 0 for NaN."""
    return torch.where(torch.isnan(age), torch.zeros_like(age), age).clamp(0, OLDEST_S)


def pair_features(motion: Motion) -> Tensor:
    """Features [B, N, N, 35] of the second object relative to the first: place, motion, closest approach."""
    height, now = motion.height, motion.now
    mean = ((height[:, :, None] + height[:, None]) / 2)[..., None]
    size = (now[..., 2] * now[..., 3]).clamp(min=1e-6).sqrt()
    mean_size = ((size[:, :, None] + size[:, None]) / 2)[..., None]
    place = motion.at_last(motion.position)
    velocity = motion.at_last(slope(motion.position, motion.seen, 6)[0])
    apart, against = difference(place) / mean, difference(velocity) / mean
    distance = length(apart)
    closing = -(apart * against).sum(-1, keepdim=True) / distance
    pace2 = (against * against).sum(-1, keepdim=True)
    soonest = (closing * distance / (pace2 + 0.01)).clamp(0, 4)
    closest = length(apart + against * soonest)
    gaps = box_gaps(now[:, :, None], now[:, None]) / mean_size
    later = []
    present, brake, _ = course(motion)
    for seconds in AHEAD_S:
        for step in (velocity * seconds, carried(present, brake, seconds)):
            moved = torch.cat([now[..., :2] + step, now[..., 2:]], -1)
            later.append(squash(box_gaps(moved[:, :, None], moved[:, None])[..., 2:] / mean_size))
    stops = place + carried(present, brake, 3.0)
    earlier = [squash(distance_before(motion, steps) / mean - distance) for steps in (5, 10, 20)]
    ratio = torch.log(height[:, None] / height[:, :, None])[..., None]
    centre = length(difference(motion.at_last(motion.centre))) / mean
    bottom = difference((now[..., 1] + now[..., 3])[..., None]) / mean
    touching = torch.sigmoid((0.15 - gaps[..., 2:]) / 0.05)
    in_view = (motion.seen[:, :, None, -1] * motion.seen[:, None, :, -1])[..., None]
    fast = (length(velocity) / height[..., None])[:, None].expand_as(ratio)
    lined = torch.sigmoid((0.7 - distance) / 0.1)
    features = [
        squash(apart), squash(against), squash(distance), squash(closing), soonest / 2, squash(closest), squash(gaps), *later,
        *earlier, squash(ratio), squash(centre), squash(bottom), touching, in_view, squash(fast), lined, squash(pace2),
        squash(length(difference(stops)) / mean),
    ]  # fmt: skip
    return torch.cat(features, -1)


def difference(values: Tensor) -> Tensor:
    """Value of the second minus that of the first, [B, N, N, C]."""
    return values[:, None] - values[:, :, None]


def distance_before(motion: Motion, steps: int) -> Tensor:
    """Distance of positions `steps` before the last [B, N, N, 1]; the current one where either was not in view."""
    at = motion.position.shape[2] - 1 - steps
    then = length(difference(motion.position[:, :, at]))
    present = length(difference(motion.at_last(motion.position)))
    both = (motion.seen[:, :, None, at] * motion.seen[:, None, :, at])[..., None]
    return torch.where(both > 0, then, present)


def parameters(model: nn.Module) -> int:
    """Number of parameters."""
    return sum(math.prod(p.shape) for p in model.parameters())
