"""Fusion core and language model as one module, and its losses."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.data.text.prompts import Sample
from training.data.text.situations import DIGIT_VALUES
from training.data.text.tree import Batch, pack
from training.models.language.fusion import STEPS, FusionCore, FusionInputs, Projection
from training.models.language.llama import Llama

EMBEDDING, APPEARANCE = 256, 128
"""Width of an embedding, and number of values that an appearance embedding uses; the others are 0."""
APPEARANCE_NOISE = 0.6
NO_APPEARANCES, NO_SCENES, MAX_SCENES = 0.25, 0.6, 8
"""Shares of scenes without appearance and without scene embeddings. Scene embeddings are noise: track worlds have no pictures."""


def unit(x: Tensor) -> Tensor:
    """Scale vectors to length 1."""
    return x / (x.norm(dim=-1, keepdim=True) + 1e-6)


def draw_appearances(identity: Tensor, valid: Tensor) -> Tensor:
    """Embeddings [B, N, 256]: one random direction for each identity [B, N] of a scene, with noise; all 0 in some scenes."""
    batch, count = identity.shape
    first = (identity[:, :, None] == identity[:, None, :]).float().argmax(-1)
    own = unit(torch.randn(batch, count, APPEARANCE))
    shared = own.gather(1, first[..., None].expand(-1, -1, APPEARANCE))
    given = (torch.rand(batch, 1, 1) > NO_APPEARANCES).float() * valid[..., None]
    appearances = unit(shared + APPEARANCE_NOISE * unit(torch.randn(batch, count, APPEARANCE))) * given
    return functional.pad(appearances, (0, EMBEDDING - APPEARANCE))


def draw_scene_embeddings(batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random scene embeddings [B, C, 256], their ages [B, C] in s and validity [B, C]."""
    count = int(torch.randint(1, MAX_SCENES + 1, ()))
    there = (torch.rand(batch, 1) > NO_SCENES).float().expand(-1, count)
    age = torch.arange(count).flip(0).float().expand(batch, -1)
    return unit(torch.randn(batch, count, EMBEDDING)), age, there


def inputs_of(samples: list[Sample]) -> FusionInputs:
    """Inputs of the core for samples, padded."""
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
    mask = torch.from_numpy(valid)
    slot = torch.arange(size).expand(len(samples), -1)
    scenes, scene_age, scene_valid = draw_scene_embeddings(len(samples))
    appearances = draw_appearances(torch.from_numpy(identity), mask)
    return FusionInputs(
        torch.from_numpy(boxes),
        torch.from_numpy(seen),
        torch.from_numpy(kind),
        torch.from_numpy(age),
        aspect,
        slot,
        appearances,
        mask,
        scenes,
        scene_age,
        scene_valid,
    )


class Fused(nn.Module):
    """Core and language model. Without a core, only the text is read."""

    def __init__(self, language: Llama, core: FusionCore | Projection | None):
        super().__init__()
        self.language, self.core = language, core
        self.register_buffer("values", torch.tensor(DIGIT_VALUES), persistent=False)

    @property
    def visual(self) -> FusionCore | Projection:
        """The core. Raises ValueError when there is none."""
        if self.core is None:
            raise ValueError("this model has no fusion core")
        return self.core

    def hidden(self, samples: list[Sample], batch: Batch, with_prefix: bool = True) -> Tensor:
        """Hidden states of the trees' tokens [B, S, width]; without a prefix unless `with_prefix`."""
        embedded = self.language.embeddings(batch.tokens)
        if with_prefix:
            embedded = torch.cat([self.visual(inputs_of(samples)), embedded], 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            hidden = self.language(embedded, batch.positions, batch.bias)
        return hidden[:, -batch.tokens.shape[1] :].float()

    def probabilities(self, hidden: Tensor, digits: list[int]) -> tuple[Tensor, Tensor]:
        """Log shares of the ten digits [D, 10] and their mean as a probability [D]."""
        rows = self.language.embeddings.weight[digits]
        shares = functional.log_softmax(functional.linear(hidden, rows), -1)
        return shares, (shares.exp() * self.values).sum(-1)

    def losses(self, samples: list[Sample], digits: list[int], with_prefix: bool = True) -> dict[str, Tensor]:
        """Losses by task.

        For candidates: cross entropy of the mean against the soft label, plus a small one of the nearest digit.
        """
        batch = pack([sample.tree for sample in samples], self.visual.shape.queries if with_prefix else 0)
        hidden = self.hidden(samples, batch, with_prefix)
        found: dict[str, Tensor] = {}
        if len(batch.words):
            rows, at, tokens = batch.words.T
            each = functional.cross_entropy(self.language.logits(hidden[rows, at]), tokens, reduction="none")
            found |= by_task(each, batch.word_tasks)
        if len(batch.digits):
            rows, at = batch.digits.T
            shares, chance = self.probabilities(hidden[rows, at], digits)
            nearest = (batch.probabilities[:, None] - self.values).abs().argmin(-1)
            each = functional.binary_cross_entropy(chance, batch.probabilities, reduction="none")
            each = each + 0.1 * functional.nll_loss(shares, nearest, reduction="none")
            found |= by_task(each, batch.digit_tasks)
        return found


def by_task(each: Tensor, tasks: list[str]) -> dict[str, Tensor]:
    """Mean of `each` for each task."""
    named = np.array(tasks)
    return {task: each[torch.from_numpy(named == task)].mean() for task in dict.fromkeys(tasks)}
