"""Scores of the fused model on held-out samples, teacher-forced: shares of correct tokens, and errors of its probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from training.data.text.prompts import Sample
from training.data.text.tree import TextEncoder, pack
from training.models.language.fused import Fused

BATCH = 8


@torch.no_grad()
def language_scores(fused: Fused, samples: list[Sample], encoder: TextEncoder, with_prefix: bool = True) -> dict[str, Any]:
    """Share of correct tokens and probability scores by task."""
    right: dict[str, list[bool]] = {}
    predicted: dict[str, list[tuple[float, float]]] = {}
    for start in range(0, len(samples), BATCH):
        chunk = samples[start : start + BATCH]
        batch = pack([sample.tree for sample in chunk], fused.visual.shape.queries if with_prefix else 0)
        hidden = fused.hidden(chunk, batch, with_prefix)
        rows, at, tokens = batch.words.T
        correct = fused.language.logits(hidden[rows, at]).argmax(-1) == tokens
        for task, hit in zip(batch.word_tasks, correct.tolist(), strict=True):
            right.setdefault(task, []).append(hit)
        if len(batch.digits):
            rows, at = batch.digits.T
            chances = fused.probabilities(hidden[rows, at], encoder.digits)[1].tolist()
            for task, chance, label in zip(batch.digit_tasks, chances, batch.probabilities.tolist(), strict=True):
                predicted.setdefault(task, []).append((chance, label))
    shares = {f"{task} tokens right": round(float(np.mean(hits)), 4) for task, hits in sorted(right.items())}
    return shares | {task: probability_figures(np.array(pairs)) for task, pairs in sorted(predicted.items())}


def probability_figures(pairs: np.ndarray) -> dict[str, float]:
    """Mean squared error against the (soft) labels, that of a constant prediction of their mean, and F1."""
    chance, label = pairs.T
    error, baseline = float(((chance - label) ** 2).mean()), float(((label - label.mean()) ** 2).mean())
    figures = {"n": len(label), "squared error": round(error, 4), "of the mean": round(baseline, 4)}
    positive, true = chance >= 0.5, label >= 0.5
    hits = float((positive & true).sum())
    return figures | {"f1 at 0.5": round(2 * hits / max(1.0, float(positive.sum() + true.sum())), 4)}
