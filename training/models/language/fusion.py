"""Fusion core: a Q-Former whose queries read object and scene embeddings and become the prefix of the language model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.forecaster import PAIR_TYPES, SINGLE_TYPES, WIDTH, Forecaster

STEPS, HZ, SLOTS, KINDS = 30, 10, 48, 4
LAGS = (0, 5, 10, 15, 20, 25)
"""Steps before the newest at which the position of an object is read."""
WINDOWS = (6, 15, 30)
"""Newest steps over which velocities are fitted."""
BINS = 20
"""Number of soft bins over 0 to 1 that encode a fraction of the frame."""
GAIN = 8.0
"""Embeddings have length 1, so their values are small."""
HIDDEN = -10_000.0
OUT_SCALE = 0.25
"""Gives a new prefix about the length of the embeddings of the language model."""
ROWS = 12
"""Slots for which a vector contains the relation to the object there."""
STATES = WIDTH + len(SINGLE_TYPES)
LIKELY = 4.0
"""Log odds are divided by this."""


@dataclass(frozen=True)
class CoreShape:
    """Sizes of a core; `token` is the width of the embeddings, `prefix` that of the language model."""

    width: int = 256
    blocks: int = 2
    heads: int = 8
    queries: int = 32
    token: int = 256
    prefix: int = 576


def soft_bins(x: Tensor) -> Tensor:
    """Map [...] to [..., BINS]: bumps around the centres of equal bins, so that a linear layer can read digits."""
    centres = (torch.arange(BINS) + 0.5) / BINS
    return torch.exp(-(((x[..., None] - centres) * BINS) ** 2) / 2)


def fitted_velocity(places: Tensor, seen: Tensor, steps: int) -> Tensor:
    """Least-squares slope of [..., T, 2] over the newest visible steps, frame heights per second; 0 with fewer than 3."""
    places, weight = places[..., -steps:, :], seen[..., -steps:, None]
    times = (torch.arange(steps) - (steps - 1.0))[:, None] / HZ
    total = weight.sum(-2).clamp(min=1.0)
    mean_time, mean_place = (weight * times).sum(-2) / total, (weight * places).sum(-2) / total
    lag = (times - mean_time[..., None, :]) * weight
    spread = (lag * lag).sum(-2)
    slope = (lag * (places - mean_place[..., None, :])).sum(-2) / spread.clamp(min=1e-4)
    return slope * (total > 2.5)


def newest_seen(boxes: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Newest visible box [..., 4] and the seconds since then [...] (3 s and a zero box if there is none)."""
    times = torch.arange(1, STEPS + 1).float()
    last = (seen * times).amax(-1)
    picked = (times == last[..., None]).float() * seen
    return (boxes * picked[..., None]).sum(-2), (STEPS - last) / HZ


def object_features(boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor) -> Tensor:
    """Motion features [..., FEATURES] of each object from tracks (docs/fused-model.md)."""
    upright = ((kind == 0) | (kind == 2)).float()[..., None]
    x = boxes[..., 0] + boxes[..., 2] / 2
    y = boxes[..., 1] + boxes[..., 3] * (0.5 + 0.5 * upright)
    places = torch.stack([x, y], -1)
    newest, unseen_s = newest_seen(boxes, seen)
    height = newest[..., 3].clamp(min=0.01)
    shares = torch.stack([x / aspect[..., None, None], y], -1)
    features = []
    for lag in LAGS:
        here = seen[..., STEPS - 1 - lag, None]
        features += [soft_bins(shares[..., STEPS - 1 - lag, :]).flatten(-2) * here, here]
    size = torch.stack([newest[..., 2] / aspect[..., None], newest[..., 3]], -1)
    corner = newest[..., 0:2] / torch.stack([aspect, torch.ones_like(aspect)], -1)[..., None, :]
    features += [soft_bins(size).flatten(-2), soft_bins(corner).flatten(-2)]
    for steps in WINDOWS:
        velocity = fitted_velocity(places, seen, steps) / height[..., None]
        speed = velocity.norm(dim=-1, keepdim=True)
        features += [velocity.clamp(-6, 6) / 2, velocity / (speed + 0.05), soft_bins(speed.squeeze(-1).clamp(0, 2) / 2)]
    features += [
        torch.log(height)[..., None],
        unseen_s[..., None],
        seen.mean(-1)[..., None],
        age.clamp(max=60)[..., None].log1p(),
    ]
    features += [functional.one_hot(kind, KINDS).float(), (aspect[..., None] * torch.ones_like(age))[..., None]]
    return torch.cat(features, -1)


FEATURES = len(LAGS) * (2 * BINS + 1) + 4 * BINS + len(WINDOWS) * (4 + BINS) + 4 + KINDS + 1


class Foresight(nn.Module):
    """The forecaster, trained before and frozen, as features of each object and each pair."""

    def __init__(self) -> None:
        super().__init__()
        self.forecaster = Forecaster()
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(
        self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor, slot: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return states [B, N, STATES] with the log odds of each item, and rows [B, N, ROWS * 3].

        Rows hold the log odds of the pair with each slot, and whether the slot has an object.
        """
        model = self.forecaster
        nodes, pairs, motion = model.states(boxes, seen, kind, age, aspect)
        single = model.single(nodes).reshape(*age.shape, len(SINGLE_TYPES), -1)
        single, between = log_odds(single) * motion.valid[..., None], log_odds(model.pair_logits(nodes, pairs))
        both = (motion.valid[:, :, None] * motion.valid[:, None])[..., None]
        placed = (slot[:, :, None] == torch.arange(ROWS)).to(boxes.dtype)
        rows = torch.einsum("bjq,bijc->biqc", placed, torch.cat([between, torch.ones_like(both)], -1) * both)
        return torch.cat([nodes, single], -1), rows.flatten(-2)


ROW_VALUES = ROWS * (len(PAIR_TYPES) + 1)


def log_odds(logits: Tensor) -> Tensor:
    """Log odds that an item happens at all, from logits [..., bins + 1] with `never` last; scaled to a few units."""
    odds = torch.logsumexp(logits[..., :-1], -1) - logits[..., -1]
    return odds.clamp(-8, 8) / LIKELY


class Attention(nn.Module):
    """Multi-head attention with an optional bias."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.o = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor, bias: Tensor | None = None) -> Tensor:
        """X [B, S, width] attends to context [B, C, width]: [B, S, width]."""
        batch, steps, width = x.shape
        q, k, v = (
            y.reshape(batch, -1, self.heads, width // self.heads).transpose(1, 2)
            for y in (self.q(x), self.k(context), self.v(context))
        )
        scores = q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5
        shares = (scores if bias is None else scores + bias).softmax(-1)
        return self.o((shares @ v).transpose(1, 2).reshape(batch, steps, width))


class Block(nn.Module):
    """Pre-norm transformer block with optional cross attention."""

    def __init__(self, width: int, heads: int, crosses: bool):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if crosses else 2))
        self.own, self.cross = Attention(width, heads), Attention(width, heads) if crosses else None
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, own_bias: Tensor | None, context: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """X [B, S, width] to [B, S, width]; bias is that of the cross attention."""
        y = self.norms[0](x)
        x = x + self.own(y, y, own_bias)
        if self.cross is not None and context is not None:
            x = x + self.cross(self.norms[2](x), context, bias)
        return x + self.feed(self.norms[1](x))


class Context(nn.Module):
    """Object and scene embeddings of one width as context of the queries, after self-attention among objects."""

    def __init__(self, shape: CoreShape):
        super().__init__()
        self.motion = nn.Sequential(nn.Linear(FEATURES, shape.width), nn.GELU(), nn.Linear(shape.width, shape.width))
        self.ahead = nn.Linear(STATES + ROW_VALUES, shape.width)
        self.appearances = nn.Linear(shape.token, shape.width, bias=False)
        self.slots = nn.Embedding(SLOTS, shape.width)
        self.mixing = Block(shape.width, shape.heads, crosses=False)
        self.scenes = nn.Linear(shape.token, shape.width)
        self.ages = nn.Linear(2, shape.width)

    def forward(self, features: Tensor, ahead: Tensor, slot: Tensor, appearances: Tensor, valid: Tensor, scenes: Tensor,
                scene_age: Tensor) -> Tensor:  # fmt: skip
        """Return [B, N + C, width]."""
        objects = self.motion(features) + self.ahead(ahead) + self.appearances(appearances * GAIN) + self.slots(slot)
        objects = self.mixing(objects, ((1 - valid) * HIDDEN)[:, None, None])
        ages = torch.stack([scene_age, torch.exp(-scene_age)], -1)
        return torch.cat([objects, self.scenes(scenes * GAIN) + self.ages(ages)], 1)


@dataclass
class FusionInputs:
    """Padded inputs of a core.

    Tracks (boxes [B, N, T, 4] and so on, docs/fused-model.md), slot [B, N], appearances [B, N, token], valid [B, N],
    scenes [B, C, token], scene_age and scene_valid [B, C].
    """

    boxes: Tensor
    seen: Tensor
    kind: Tensor
    age: Tensor
    aspect: Tensor
    slot: Tensor
    appearances: Tensor
    valid: Tensor
    scenes: Tensor
    scene_age: Tensor
    scene_valid: Tensor

    def tracks(self) -> tuple[Tensor, ...]:
        """The inputs of the forecaster."""
        return self.boxes, self.seen, self.kind, self.age, self.aspect


class FusionCore(nn.Module):
    """Query k starts from the object in slot k and attends to it with a learned strength; the other queries are free.

    A linear path also carries the object in slot k into vector k, because the blocks alone learn that slowly.
    """

    def __init__(self, shape: CoreShape = CoreShape()):
        super().__init__()
        self.shape = shape
        self.foresight = Foresight()
        self.context = Context(shape)
        self.queries = nn.Parameter(torch.randn(shape.queries, shape.width) * 0.5)
        self.pull = nn.Parameter(torch.full((shape.heads, 1, 1), 5.0))
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads, crosses=True) for _ in range(shape.blocks))
        self.norm, self.out = nn.LayerNorm(shape.width), nn.Linear(shape.width, shape.prefix)
        with torch.no_grad():
            self.out.weight *= OUT_SCALE
        self.direct = nn.Linear(FEATURES + STATES + ROW_VALUES + shape.token, shape.prefix)
        self.base = nn.Parameter(torch.zeros(shape.queries, shape.prefix))

    @torch.no_grad()
    def start_from(self, embeddings: Tensor) -> None:
        """Initialise the prefix with the token embeddings [n, prefix] that name the slots."""
        self.base[: len(embeddings)] = embeddings

    def forward(self, inputs: FusionInputs, queries: int | None = None) -> Tensor:
        """Prefix [B, queries, prefix]; of the first `queries` alone if given."""
        features, valid, slot, appearances = object_features(*inputs.tracks()), inputs.valid, inputs.slot, inputs.appearances
        ahead = torch.cat(self.foresight(*inputs.tracks(), slot), -1)
        context = self.context(features, ahead, slot, appearances, valid, inputs.scenes, inputs.scene_age)
        asked = queries or self.shape.queries
        owned = (torch.arange(asked)[:, None] == slot[:, None, :]).float() * valid[:, None]
        own = owned[:, None] * self.pull
        free = torch.zeros_like(inputs.scene_valid)[:, None, None, :].expand(-1, own.shape[1], own.shape[2], -1)
        hidden = (1 - torch.cat([valid, inputs.scene_valid], 1))[:, None, None] * HIDDEN
        bias = torch.cat([own, free], -1) + hidden
        x = self.queries[:asked] + owned @ context[:, : slot.shape[1]]
        for block in self.blocks:
            x = block(x, None, context, bias)
        direct = owned @ self.direct(torch.cat([features, ahead, appearances * GAIN], -1))
        return self.out(self.norm(x)) + direct + self.base[:asked]


class Projection(nn.Module):
    """Ablation: a linear layer on each object and on the mean scene embedding, put into the prefix by slot.

    It has no queries and no attention.
    """

    def __init__(self, shape: CoreShape = CoreShape()):
        super().__init__()
        self.shape = shape
        self.foresight = Foresight()
        self.objects = nn.Linear(FEATURES + STATES + ROW_VALUES + shape.token, shape.prefix)
        self.scenes = nn.Linear(shape.token, shape.prefix)
        self.base = nn.Parameter(torch.zeros(shape.queries, shape.prefix))

    def forward(self, inputs: FusionInputs, queries: int | None = None) -> Tensor:
        """Prefix [B, queries, prefix]."""
        ahead = torch.cat(self.foresight(*inputs.tracks(), inputs.slot), -1)
        objects = (
            self.objects(torch.cat([object_features(*inputs.tracks()), ahead, inputs.appearances * GAIN], -1))
            * inputs.valid[..., None]
        )
        places = (torch.arange(self.shape.queries)[:, None] == inputs.slot[:, None, :]).float()
        share = inputs.scene_valid / inputs.scene_valid.sum(1, keepdim=True).clamp(min=1.0)
        scene = self.scenes((inputs.scenes * GAIN * share[..., None]).sum(1, keepdim=True))
        last = (torch.arange(self.shape.queries) == self.shape.queries - 1).float()[:, None]
        return (places @ objects + last * scene + self.base)[:, :queries]


class LiveCore(nn.Module):
    """A core with the inputs and the output of `models/fusion.onnx`: one scene, without padding."""

    def __init__(self, core: FusionCore | Projection):
        super().__init__()
        self.core = core

    def forward(self, boxes: Tensor, seen: Tensor, kind: Tensor, age: Tensor, aspect: Tensor, slot: Tensor, appearances: Tensor,
                scenes: Tensor, scene_age: Tensor) -> Tensor:  # fmt: skip
        """Prefix [1, queries, prefix]."""
        valid, scene_valid = torch.ones_like(age)[None], torch.ones_like(scene_age)[None]
        tracks = boxes[None], seen[None], kind[None], age[None], aspect
        return self.core(FusionInputs(*tracks, slot[None], appearances[None], valid, scenes[None], scene_age[None], scene_valid))
