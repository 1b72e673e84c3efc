"""Core and language model as one module, its losses, and a reader by which the core is trained before the language model."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.data.text.prompts import Sample
from training.data.text.situations import DIGIT_VALUES
from training.data.text.tree import Batch, pack
from training.models.language.fusion import STEPS, FusionCore, Projection, Sight
from training.models.language.llama import Llama

TOKEN, LOOK = 256, 128
"""Places for values of a token, and how many an object token has; the rest is 0."""
LOOK_NOISE = 0.6
NO_LOOKS, NO_CLIPS, MOST_CLIPS = 0.25, 0.6, 8
"""Shares of scenes without object tokens and without clip tokens; clips are noise here, since token worlds have no pictures."""


def unit(x: Tensor) -> Tensor:
    return x / (x.norm(dim=-1, keepdim=True) + 1e-6)


def drawn_looks(identity: Tensor, valid: Tensor) -> Tensor:
    """Tokens [B, N, 256]: one random direction for each identity [B, N] of a scene, with noise; nothing in some scenes."""
    batch, count = identity.shape
    first = (identity[:, :, None] == identity[:, None, :]).float().argmax(-1)
    own = unit(torch.randn(batch, count, LOOK))
    shared = own.gather(1, first[..., None].expand(-1, -1, LOOK))
    told = (torch.rand(batch, 1, 1) > NO_LOOKS).float() * valid[..., None]
    looks = unit(shared + LOOK_NOISE * unit(torch.randn(batch, count, LOOK))) * told
    return functional.pad(looks, (0, TOKEN - LOOK))


def drawn_clips(batch: int) -> tuple[Tensor, Tensor, Tensor]:
    count = int(torch.randint(1, MOST_CLIPS + 1, ()))
    there = (torch.rand(batch, 1) > NO_CLIPS).float().expand(-1, count)
    age = torch.arange(count).flip(0).float().expand(batch, -1)
    return unit(torch.randn(batch, count, TOKEN)), age, there


def sight_of(samples: list[Sample]) -> Sight:
    size = max(len(sample.things) for sample in samples)
    boxes, seen = np.zeros((len(samples), size, STEPS, 4), np.float32), np.zeros((len(samples), size, STEPS), np.float32)
    kind, identity = np.zeros((len(samples), size), np.int64), -np.ones((len(samples), size), np.int64)
    age, valid = np.zeros((len(samples), size), np.float32), np.zeros((len(samples), size), np.float32)
    for row, sample in enumerate(samples):
        things, moment = sample.things, sample.moment
        observed, count = moment.observed, len(things)
        first = max(0, moment.frame + 1 - STEPS)
        steps = moment.frame + 1 - first
        boxes[row, :count, STEPS - steps :] = observed.boxes[first : moment.frame + 1, things].swapaxes(0, 1)
        seen[row, :count, STEPS - steps :] = observed.seen[first : moment.frame + 1, things].T
        kind[row, :count], identity[row, :count] = observed.kind[things], moment.identity[things]
        age[row, :count] = [observed.age(thing, moment.frame) for thing in things]
        valid[row, :count] = 1
    aspect = torch.tensor([sample.moment.observed.aspect for sample in samples], dtype=torch.float32)
    told = torch.from_numpy(valid)
    tracks = [torch.from_numpy(x) for x in (boxes, seen, kind, age)]
    slot = torch.arange(size).expand(len(samples), -1)
    return Sight(*tracks, aspect, slot, drawn_looks(torch.from_numpy(identity), told), told, *drawn_clips(len(samples)))


class Fused(nn.Module):
    """Without a core nothing is sighted."""

    def __init__(self, language: Llama, core: FusionCore | Projection | None):
        super().__init__()
        self.language, self.core = language, core
        self.register_buffer("values", torch.tensor(DIGIT_VALUES), persistent=False)

    def hidden(self, samples: list[Sample], batch: Batch, sighted: bool = True) -> Tensor:
        """Hidden states of the trees' tokens [B, S, width]; not `sighted`: without a prefix."""
        embedded = self.language.embeddings(batch.tokens)
        if sighted:
            embedded = torch.cat([self.core(sight_of(samples)), embedded], 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            hidden = self.language(embedded, batch.positions, batch.bias)
        return hidden[:, -batch.tokens.shape[1] :].float()

    def chances(self, hidden: Tensor, digits: list[int]) -> tuple[Tensor, Tensor]:
        """Log-shares of the ten digits [D, 10] and their mean as a probability [D]."""
        rows = self.language.embeddings.weight[digits]
        shares = functional.log_softmax(functional.linear(hidden, rows), -1)
        return shares, (shares.exp() * self.values).sum(-1)

    def losses(self, samples: list[Sample], digits: list[int], sighted: bool = True) -> dict[str, Tensor]:
        """By task; that of candidates is the cross entropy of the mean against the soft label, and a little of the digits'."""
        batch = pack([sample.tree for sample in samples], self.core.shape.queries if sighted else 0)
        hidden = self.hidden(samples, batch, sighted)
        found: dict[str, Tensor] = {}
        if len(batch.words):
            rows, at, tokens = batch.words.T
            each = functional.cross_entropy(self.language.logits(hidden[rows, at]), tokens, reduction="none")
            found |= by_task(each, batch.word_tasks)
        if len(batch.digits):
            rows, at = batch.digits.T
            shares, chance = self.chances(hidden[rows, at], digits)
            nearest = (batch.probabilities[:, None] - self.values).abs().argmin(-1)
            each = functional.binary_cross_entropy(chance, batch.probabilities, reduction="none")
            each = each + 0.1 * functional.nll_loss(shares, nearest, reduction="none")
            found |= by_task(each, batch.digit_tasks)
        return found


def by_task(each: Tensor, tasks: list[str]) -> dict[str, Tensor]:
    named = np.array(tasks)
    return {task: each[torch.from_numpy(named == task)].mean() for task in dict.fromkeys(tasks)}
