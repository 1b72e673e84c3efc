"""Fits the weights of the forecast mixture and of the mixture of causes to the rows of `collect.ts`.

    python -m training.train.mixture ROWS.jsonl models/pool.json [--manifest models/manifest.json]

Each set of experts has its own weights: the forecaster alone, and the forecaster with the language model. The weights are
logistic
regressions with a Gaussian prior around equal weights, so that event types with few scenes stay near it. The output contains
the Brier score and log loss of sampling alone, each expert alone and the mixture, by fourfold cross-validation.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

MIN_PROBABILITY = 1e-4
MIN_CAUSE = 0.005
"""As in src/reasoner/forecast/mixture/forecast-mixture.ts and explain/cause-blend.ts."""
PRIOR_DEVIATION = 0.2
"""Standard deviation of the prior of every weight around equal weights; worth some tens of rows."""
FOLDS = 4
MIN_ROWS = 100


def logit(p: np.ndarray, floor: float) -> np.ndarray:
    """Log odds of probabilities, clipped to [floor, 1 - floor]."""
    p = np.clip(p, floor, 1 - floor)
    return np.log(p / (1 - p))


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Probabilities of log odds."""
    return 1 / (1 + np.exp(-np.clip(z, -60, 60)))


def fit(features: np.ndarray, target: np.ndarray, prior: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Weights [K] for features [R, K] and soft targets [R] in 0 to 1, by Newton steps on the log posterior."""
    weights, precision = prior.copy(), np.eye(len(prior)) / PRIOR_DEVIATION**2
    for _ in range(30):
        p = sigmoid(features @ weights + offset)
        gradient = features.T @ (target - p) - precision @ (weights - prior)
        curvature = (features * (p * (1 - p))[:, None]).T @ features + precision
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def brier(p: np.ndarray, target: np.ndarray) -> float:
    """Expected Brier score of the outcome, whose probability is `target`: includes the variance of the outcome."""
    return float(np.mean((p - target) ** 2 + target * (1 - target)))


def log_loss(p: np.ndarray, target: np.ndarray) -> float:
    """Mean cross entropy."""
    p = np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return float(-np.mean(target * np.log(p) + (1 - target) * np.log(1 - p)))


def cross_validated(features: np.ndarray, target: np.ndarray, prior: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Predictions by weights fitted on the other folds. Folds are blocks, because rows of a scene are adjacent."""
    fold = np.arange(len(target)) * FOLDS // len(target)
    predicted = np.empty(len(target))
    for k in range(FOLDS):
        weights = fit(features[fold != k], target[fold != k], prior, offset[fold != k])
        predicted[fold == k] = sigmoid(features[fold == k] @ weights + offset[fold == k])
    return predicted


def scores(target: np.ndarray, predicted: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Brier score and log loss of each prediction."""
    return {
        name: {"brier": round(brier(p, target), 5), "logLoss": round(log_loss(p, target), 5)} for name, p in predicted.items()
    }


def fit_type(rows: list[dict[str, Any]], experts: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights of the mixture for one group of items (`exit:body`) or event type, and their scores."""
    truth, sampled = (np.array([row[name] for row in rows], float) for name in ("truth", "sampled"))
    learned = {name: np.array([row[name] for row in rows], float) for name in experts}
    base = logit(sampled, MIN_PROBABILITY)
    features = np.stack([np.ones(len(rows)), base, *(logit(p, MIN_PROBABILITY) - base for p in learned.values())], 1)
    prior = np.array([0, 0, *[1 / (len(experts) + 1)] * len(experts)])
    bias, slope, *factors = fit(features, truth, prior, base)
    mixed = cross_validated(features, truth, prior, base)
    weights = {"bias": round(bias, 4), "slope": round(slope, 4)}
    weights["weights"] = {name: round(factor, 4) for name, factor in zip(experts, factors, strict=True)}
    record = {"rows": len(rows), "rate": round(float(truth.mean()), 4)}
    return weights, record | scores(truth, {"sampled": sampled, **learned, "mixture": mixed})


def fit_sets(rows: list[dict[str, Any]], record: dict[str, Any]) -> dict[str, Any]:
    """Weights by set of experts and by group or event type, for groups with enough rows."""
    items = [row for row in rows if "forecast" in row]
    sets: dict[str, dict[str, Any]] = {}
    groups = {row["forecast"] for row in items}
    for experts in (("forecaster",), ("forecaster", "language")):
        name = "+".join(experts)
        for kind in sorted(groups | {group.split(":")[0] for group in groups}):
            of_kind = [row for row in items if kind in (row["forecast"], row["forecast"].split(":")[0])]
            chosen = [row for row in of_kind if all(row.get(expert) is not None for expert in experts)]
            if len(chosen) >= MIN_ROWS:
                sets.setdefault(name, {})[kind], record[f"{name} {kind}"] = fit_type(chosen, experts)
    return sets


def fit_causes(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights of the mixture of causes for one group of events, and their scores."""
    truth, head = (np.array([row[name] for row in rows], float) for name in ("truth", "head"))
    known = np.array([row["rules"] is not None for row in rows], float)
    rules = np.array([row["rules"] or 0 for row in rows], float)
    features = np.stack([np.ones(len(rows)), logit(head, MIN_CAUSE), known, known * logit(rules, MIN_CAUSE)], 1)
    prior, none = np.array([0, 0.5, 0, 0.5]), np.zeros(len(rows))
    bias, factor, offset, slope = fit(features, truth, prior, none)
    blended = cross_validated(features, truth, prior, none)
    weights = {"bias": round(bias, 4), "head": round(factor, 4), "known": round(offset, 4), "rules": round(slope, 4)}
    record = {"rows": len(rows), "rate": round(float(truth.mean()), 4)}
    predicted = {"rules": rules, "head": head, "blended": blended}
    f1 = {name: round(f1_of(p >= 0.5, truth > 0.5), 4) for name, p in predicted.items()}
    return weights, record | scores(truth, predicted) | {"f1": f1}


def fit_language(rows: list[dict[str, Any]], causes: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Weight, 0 to 1, of the language model in P(necessary) against head and rules together, and the scores."""
    rated = [row for row in rows if "cause" in row and row.get("language") is not None]
    truth, language = (np.array([row[name] for row in rated], float) for name in ("truth", "language"))
    base = np.array([blended_of(row, causes) for row in rated])
    own, other = logit(base, MIN_CAUSE), logit(language, MIN_CAUSE)

    def share(where: np.ndarray) -> float:
        return float(np.clip(fit((other - own)[where, None], truth[where], np.zeros(1), own[where])[0], 0, 1))

    fold, mixed = np.arange(len(rated)) * FOLDS // len(rated), np.empty(len(rated))
    for k in range(FOLDS):
        here, weight = fold == k, share(fold != k)
        mixed[here] = sigmoid(own[here] + weight * (other - own)[here])
    found = scores(truth, {"without": base, "language": language, "with": mixed})
    f1 = {
        name: round(f1_of(p >= 0.5, truth > 0.5), 4) for name, p in (("without", base), ("language", language), ("with", mixed))
    }
    return round(share(np.ones(len(rated), bool)), 4), {"rows": len(rated)} | found | {"f1": f1}


def blended_of(row: dict[str, Any], causes: dict[str, Any]) -> float:
    """P(necessary) as in src/reasoner/explain/causes/cause-blend.ts; the rules alone where the head is left out."""
    weights = causes.get("collide" if row["cause"] == "collide" else "other")
    if weights is None:
        return row["rules"] or MIN_CAUSE
    known = 0 if row["rules"] is None else weights["known"] + weights["rules"] * float(logit(np.array(row["rules"]), MIN_CAUSE))
    return float(sigmoid(np.array(weights["bias"] + weights["head"] * float(logit(np.array(row["head"]), MIN_CAUSE)) + known)))


def f1_of(positive: np.ndarray, true: np.ndarray) -> float:
    """F1 of two boolean arrays."""
    return float(2 * (positive & true).sum() / max(positive.sum() + true.sum(), 1))


def update_manifest(manifest: Path, target: Path) -> None:
    """Replace the entry of the mixture."""
    document = json.loads(manifest.read_text())
    data = target.read_bytes()
    entry = {
        "name": "presage-pool",
        "role": "pool",
        "file": target.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "license": "Apache-2.0",
        "source": "fitted here on simulated validation scenes; no recordings",
        "made": "python -m training.train.mixture (training/README.md, Forecast mixture)",
        "inputs": {},
        "outputs": {},
    }
    document["models"] = [m for m in document["models"] if m["role"] != "pool"] + [entry]
    manifest.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--manifest", type=Path)
    args = parser.parse_args()
    text = args.rows.read_bytes()
    *rows, about = [json.loads(line) for line in text.splitlines()]
    causes: dict[str, Any] = {}
    record: dict[str, Any] = {}
    sets = fit_sets(rows, record)
    for group in ("collide", "other"):
        chosen = [row for row in rows if "cause" in row and (row["cause"] == "collide") == (group == "collide")]
        weights, found = fit_causes(chosen)
        record[f"causes of {group}"] = found
        # A head that does not improve on the rules is left out.
        if found["blended"]["brier"] < found["rules"]["brier"] and found["f1"]["blended"] >= found["f1"]["rules"]:
            causes[group] = weights
    share, record["language with head and rules"] = fit_language(rows, causes)
    provenance = {
        "made": "training/data/mixture and training/train/mixture.py on simulated validation scenes, no recordings",
        "rows": hashlib.sha256(text).hexdigest()[:12],
        **about,
        "crossValidation": record,
    }
    document = {"version": 1, "provenance": provenance, "sets": sets, "causes": causes, "languageCauses": share}
    args.out.write_text(json.dumps(document, indent=2) + "\n")
    if args.manifest:
        update_manifest(args.manifest, args.out)
    for name, result in record.items():
        print(name, json.dumps(result))


if __name__ == "__main__":
    main()
