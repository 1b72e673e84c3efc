"""Scores of probabilities: Brier score and skill, average precision, calibration error; and the fit of a shift and a scale."""

from __future__ import annotations

import numpy as np

ECE_BINS = 15
MIN_CASES = 40
STEPS = 40
LARGEST_STEP = 1.0
SCALES = (0.2, 3.0)
PRIOR = 2.0
"""Weight of the prior (scale 1, shift 0) in observations."""


def scores(predicted: np.ndarray, true: np.ndarray) -> dict[str, float | int | None]:
    """Scores of probabilities `predicted` [n] for outcomes `true` [n] (0 or 1). Skill is relative to the base rate."""
    if not len(predicted):
        return {"n": 0}
    rate = float(true.mean())
    brier, of_rate = float(((predicted - true) ** 2).mean()), rate * (1 - rate)
    return {
        "n": len(predicted),
        "positives": int(true.sum()),
        "brier": round(brier, 4),
        "skill": round(1 - brier / of_rate, 4) if of_rate else None,
        "ap": round(average_precision(predicted, true), 4) if true.sum() else None,
        "ece": round(calibration_error(predicted, true), 4),
    }


def average_precision(predicted: np.ndarray, true: np.ndarray) -> float:
    """Average precision; ties form one threshold."""
    order = np.argsort(-predicted, kind="stable")
    hits, predicted = np.cumsum(true[order]), predicted[order]
    last = np.append(np.flatnonzero(np.diff(predicted)), len(predicted) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / true.sum()
    return float((np.diff(np.append(0, recall)) * precision).sum())


def calibration_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Expected calibration error over bins of equal mass; equal probabilities stay in one bin."""
    order = np.argsort(predicted, kind="stable")
    predicted, true = predicted[order], true[order]
    edges = np.linspace(0, len(predicted), ECE_BINS + 1).round().astype(int)[1:-1]
    edges = np.unique(np.searchsorted(predicted, predicted[edges.clip(0, len(predicted) - 1)], "left"))
    bins = [pair for pair in zip(np.split(predicted, edges), np.split(true, edges), strict=True) if len(pair[0])]
    return float(sum(abs(p.mean() - t.mean()) * len(p) for p, t in bins) / len(predicted))


def f1(predicted: np.ndarray, true: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """F1, precision and recall at a threshold."""
    chosen = predicted >= threshold
    hit = float((chosen & (true > 0)).sum())
    precision, recall = hit / max(1, chosen.sum()), hit / max(1, true.sum())
    both = 2 * precision * recall / max(1e-9, precision + recall)
    return {"f1": round(float(both), 4), "precision": round(float(precision), 4), "recall": round(float(recall), 4)}


def fit_logistic(logits: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Return scale and shift that maximise the likelihood of sigmoid(scale * logit + shift), by Newton's method.

    Returns 1, 0 with too few cases.
    """
    if min(true.sum(), (1 - true).sum()) < MIN_CASES:
        return 1.0, 0.0
    start, weights = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    features = np.stack([logits, np.ones_like(logits)], 1).astype(np.float64)
    for _ in range(STEPS):
        predicted = 1 / (1 + np.exp(-(features @ weights).clip(-30, 30)))
        slope = features.T @ (predicted - true) + PRIOR * (weights - start)
        curvature = (features * (predicted * (1 - predicted))[:, None]).T @ features + PRIOR * np.eye(2)
        weights = weights - np.linalg.solve(curvature, slope).clip(-LARGEST_STEP, LARGEST_STEP)
        weights[0] = weights[0].clip(*SCALES)
    return float(weights[0]), float(weights[1])
