"""How well the fused model answers on held-out samples, teacher-forced: shares of right tokens, and scores of its probabilities."""

from __future__ import annotations

import numpy as np
import torch

from training.data.text.prompts import Sample
from training.data.text.tree import Speech, pack
from training.models.language.fused import Fused

BATCH = 8


@torch.no_grad()
def language_scores(fused: Fused, samples: list[Sample], speech: Speech, sighted: bool = True) -> dict:
    right: dict[str, list[bool]] = {}
    told: dict[str, list[tuple[float, float]]] = {}
    for start in range(0, len(samples), BATCH):
        part = samples[start : start + BATCH]
        batch = pack([sample.tree for sample in part], fused.core.shape.queries if sighted else 0)
        hidden = fused.hidden(part, batch, sighted)
        rows, at, tokens = batch.words.T
        said = fused.language.logits(hidden[rows, at]).argmax(-1) == tokens
        for task, hit in zip(batch.word_tasks, said.tolist(), strict=True):
            right.setdefault(task, []).append(hit)
        if len(batch.digits):
            rows, at = batch.digits.T
            chances = fused.chances(hidden[rows, at], speech.digits)[1].tolist()
            for task, chance, label in zip(batch.digit_tasks, chances, batch.probabilities.tolist(), strict=True):
                told.setdefault(task, []).append((chance, label))
    shares = {f"{task} tokens right": round(float(np.mean(hits)), 4) for task, hits in sorted(right.items())}
    return shares | {task: probability_figures(np.array(pairs)) for task, pairs in sorted(told.items())}


def probability_figures(pairs: np.ndarray) -> dict[str, float]:
    """Mean squared difference from the (soft) labels, over that of always saying their mean."""
    chance, label = pairs.T
    error, least = float(((chance - label) ** 2).mean()), float(((label - label.mean()) ** 2).mean())
    figures = {"n": len(label), "squared error": round(error, 4), "of the mean": round(least, 4)}
    said, true = chance >= 0.5, label >= 0.5
    hits = float((said & true).sum())
    return figures | {"f1 at 0.5": round(2 * hits / max(1.0, float(said.sum() + true.sum())), 4)}
