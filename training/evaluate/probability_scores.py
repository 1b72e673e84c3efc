"""How good probabilities are: Brier score and skill, average precision, calibration error; and the fit of a shift and a scale."""

from __future__ import annotations

import numpy as np

ECE_BINS = 15
FEWEST_TO_FIT = 40
STEPS = 40
LARGEST_STEP = 1.0
SCALES = (0.2, 3.0)
PRIOR = 2.0
"""Strength of the pull towards scale 1, shift 0, in observations."""


def scores(told: np.ndarray, true: np.ndarray) -> dict[str, float | int | None]:
    """told: probabilities [n]; true: 0 or 1 [n]. Skill is over the base rate of the same items."""
    if not len(told):
        return {"n": 0}
    rate = float(true.mean())
    brier, of_rate = float(((told - true) ** 2).mean()), rate * (1 - rate)
    return {
        "n": len(told),
        "positives": int(true.sum()),
        "brier": round(brier, 4),
        "skill": round(1 - brier / of_rate, 4) if of_rate else None,
        "ap": round(average_precision(told, true), 4) if true.sum() else None,
        "ece": round(calibration_error(told, true), 4),
    }


def average_precision(told: np.ndarray, true: np.ndarray) -> float:
    """Ties count as one threshold."""
    order = np.argsort(-told, kind="stable")
    hits, told = np.cumsum(true[order]), told[order]
    last = np.append(np.flatnonzero(np.diff(told)), len(told) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / true.sum()
    return float((np.diff(np.append(0, recall)) * precision).sum())


def calibration_error(told: np.ndarray, true: np.ndarray) -> float:
    """Expected calibration error over bins of equal mass; equal probabilities stay in one bin."""
    order = np.argsort(told, kind="stable")
    told, true = told[order], true[order]
    edges = np.linspace(0, len(told), ECE_BINS + 1).round().astype(int)[1:-1]
    edges = np.unique(np.searchsorted(told, told[edges.clip(0, len(told) - 1)], "left"))
    parts = [part for part in zip(np.split(told, edges), np.split(true, edges), strict=True) if len(part[0])]
    return float(sum(abs(p.mean() - t.mean()) * len(p) for p, t in parts) / len(told))


def f1(told: np.ndarray, true: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    chosen = told >= threshold
    hit = float((chosen & (true > 0)).sum())
    precision, recall = hit / max(1, chosen.sum()), hit / max(1, true.sum())
    both = 2 * precision * recall / max(1e-9, precision + recall)
    return {"f1": round(float(both), 4), "precision": round(float(precision), 4), "recall": round(float(recall), 4)}


def fit_logistic(logits: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """scale, shift that maximise the likelihood of sigmoid(scale * logit + shift), by Newton's method; 1, 0 with too few cases."""
    if min(true.sum(), (1 - true).sum()) < FEWEST_TO_FIT:
        return 1.0, 0.0
    start, weights = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    features = np.stack([logits, np.ones_like(logits)], 1).astype(np.float64)
    for _ in range(STEPS):
        told = 1 / (1 + np.exp(-(features @ weights).clip(-30, 30)))
        slope = features.T @ (told - true) + PRIOR * (weights - start)
        curvature = (features * (told * (1 - told))[:, None]).T @ features + PRIOR * np.eye(2)
        weights = weights - np.linalg.solve(curvature, slope).clip(-LARGEST_STEP, LARGEST_STEP)
        weights[0] = weights[0].clip(*SCALES)
    return float(weights[0]), float(weights[1])
