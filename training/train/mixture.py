"""Fits the weights of the pool and of the blend of causes on what `collect.ts` noted on simulated scenes.

    python -m training.train.mixture ROWS.jsonl models/pool.json [--manifest models/manifest.json]

Each set of sources has its own weights: the forecaster alone, and the forecaster beside the language model.

Logistic regressions with a Gaussian prior, so that a type with few scenes stays at "both count alike"; each with the Brier score and
log loss of sampling alone, the learned part alone and the two together, by fourfold cross-validation.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

LEAST = 1e-4
LEAST_CAUSE = 0.005
"""As in src/reasoner/forecast/mixture/forecast-mixture.ts and explain/cause-blend.ts."""
PRIOR_DEVIATION = 0.2
"""Of every weight around "both count alike"; worth some tens of rows."""
FOLDS = 4
LEAST_ROWS = 100


def logit(p: np.ndarray, least: float) -> np.ndarray:
    p = np.clip(p, least, 1 - least)
    return np.log(p / (1 - p))


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(z, -60, 60)))


def fit(features: np.ndarray, target: np.ndarray, prior: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Weights [K] for features [R, K], soft targets [R] in 0 to 1: Newton steps on the log posterior."""
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
    """Of the outcome, of which `target` is the chance: its variance is in every score alike."""
    return float(np.mean((p - target) ** 2 + target * (1 - target)))


def log_loss(p: np.ndarray, target: np.ndarray) -> float:
    p = np.clip(p, LEAST, 1 - LEAST)
    return float(-np.mean(target * np.log(p) + (1 - target) * np.log(1 - p)))


def cross_validated(features: np.ndarray, target: np.ndarray, prior: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """What weights fitted on the other folds say of each row; rows of a scene are next to each other, so folds are blocks."""
    fold = np.arange(len(target)) * FOLDS // len(target)
    said = np.empty(len(target))
    for k in range(FOLDS):
        weights = fit(features[fold != k], target[fold != k], prior, offset[fold != k])
        said[fold == k] = sigmoid(features[fold == k] @ weights + offset[fold == k])
    return said


def scores(target: np.ndarray, said: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    return {name: {"brier": round(brier(p, target), 5), "logLoss": round(log_loss(p, target), 5)} for name, p in said.items()}


def fit_type(rows: list[dict], sources: tuple[str, ...]) -> tuple[dict, dict]:
    """Weights of the pool for one group of items (`exit:body`) or event type, and the record of how well they did."""
    truth, sampled = (np.array([row[name] for row in rows], float) for name in ("truth", "sampled"))
    learned = {name: np.array([row[name] for row in rows], float) for name in sources}
    base = logit(sampled, LEAST)
    features = np.stack([np.ones(len(rows)), base, *(logit(said, LEAST) - base for said in learned.values())], 1)
    prior = np.array([0, 0, *[1 / (len(sources) + 1)] * len(sources)])
    bias, slope, *factors = fit(features, truth, prior, base)
    pooled = cross_validated(features, truth, prior, base)
    weights = {"bias": round(bias, 4), "slope": round(slope, 4)}
    weights["weights"] = {name: round(factor, 4) for name, factor in zip(sources, factors, strict=True)}
    record = {"rows": len(rows), "rate": round(float(truth.mean()), 4)}
    return weights, record | scores(truth, {"sampled": sampled, **learned, "pooled": pooled})


def fit_sets(rows: list[dict], record: dict) -> dict:
    """Weights by set of sources and by group or event type, of the groups with enough rows."""
    items, sets = [row for row in rows if "forecast" in row], {}
    groups = {row["forecast"] for row in items}
    for sources in (("forecaster",), ("forecaster", "language")):
        name = "+".join(sources)
        for kind in sorted(groups | {group.split(":")[0] for group in groups}):
            of_kind = [row for row in items if kind in (row["forecast"], row["forecast"].split(":")[0])]
            chosen = [row for row in of_kind if all(row.get(source) is not None for source in sources)]
            if len(chosen) >= LEAST_ROWS:
                sets.setdefault(name, {})[kind], record[f"{name} {kind}"] = fit_type(chosen, sources)
    return sets


def fit_causes(rows: list[dict]) -> tuple[dict, dict]:
    """Weights of the blend of causes for one group of events, and the record of how well they did."""
    truth, head = (np.array([row[name] for row in rows], float) for name in ("truth", "head"))
    known = np.array([row["rules"] is not None for row in rows], float)
    rules = np.array([row["rules"] or 0 for row in rows], float)
    features = np.stack([np.ones(len(rows)), logit(head, LEAST_CAUSE), known, known * logit(rules, LEAST_CAUSE)], 1)
    prior, none = np.array([0, 0.5, 0, 0.5]), np.zeros(len(rows))
    bias, factor, offset, slope = fit(features, truth, prior, none)
    blended = cross_validated(features, truth, prior, none)
    weights = {"bias": round(bias, 4), "head": round(factor, 4), "known": round(offset, 4), "rules": round(slope, 4)}
    record = {"rows": len(rows), "rate": round(float(truth.mean()), 4)}
    said = {"rules": rules, "head": head, "blended": blended}
    f1 = {name: round(f1_of(p >= 0.5, truth > 0.5), 4) for name, p in said.items()}
    return weights, record | scores(truth, said) | {"f1": f1}


def fit_language(rows: list[dict], causes: dict) -> tuple[float, dict]:
    """Share of the language model in P(necessary) beside what head and rules say together, 0 to 1."""
    told = [row for row in rows if "cause" in row and row.get("language") is not None]
    truth, language = (np.array([row[name] for row in told], float) for name in ("truth", "language"))
    base = np.array([blended_of(row, causes) for row in told])
    own, spoken = logit(base, LEAST_CAUSE), logit(language, LEAST_CAUSE)

    def share(where: np.ndarray) -> float:
        return float(np.clip(fit((spoken - own)[where, None], truth[where], np.zeros(1), own[where])[0], 0, 1))

    fold, said = np.arange(len(told)) * FOLDS // len(told), np.empty(len(told))
    for k in range(FOLDS):
        here, weight = fold == k, share(fold != k)
        said[here] = sigmoid(own[here] + weight * (spoken - own)[here])
    found = scores(truth, {"without": base, "language": language, "with": said})
    f1 = {name: round(f1_of(p >= 0.5, truth > 0.5), 4) for name, p in (("without", base), ("language", language), ("with", said))}
    return round(share(np.ones(len(told), bool)), 4), {"rows": len(told)} | found | {"f1": f1}


def blended_of(row: dict, causes: dict) -> float:
    """As src/reasoner/explain/causes/cause-blend.ts; the rules alone where the head has no say."""
    weights = causes.get("collide" if row["cause"] == "collide" else "other")
    if weights is None:
        return row["rules"] or LEAST_CAUSE
    known = 0 if row["rules"] is None else weights["known"] + weights["rules"] * float(logit(np.array(row["rules"]), LEAST_CAUSE))
    return float(sigmoid(np.array(weights["bias"] + weights["head"] * float(logit(np.array(row["head"]), LEAST_CAUSE)) + known)))


def f1_of(said: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (said & true).sum() / max(said.sum() + true.sum(), 1))


def note_in_manifest(manifest: Path, target: Path) -> None:
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
        "made": "python -m training.train.mixture (training/README.md, Pool)",
        "inputs": {},
        "outputs": {},
    }
    document["models"] = [m for m in document["models"] if m["role"] != "pool"] + [entry]
    manifest.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--manifest", type=Path)
    args = parser.parse_args()
    text = args.rows.read_bytes()
    *rows, about = [json.loads(line) for line in text.splitlines()]
    causes, record = {}, {}
    sets = fit_sets(rows, record)
    for group in ("collide", "other"):
        chosen = [row for row in rows if "cause" in row and (row["cause"] == "collide") == (group == "collide")]
        weights, found = fit_causes(chosen)
        record[f"causes of {group}"] = found
        # A head that adds nothing has no say.
        if found["blended"]["brier"] < found["rules"]["brier"] and found["f1"]["blended"] >= found["f1"]["rules"]:
            causes[group] = weights
    share, record["language beside head and rules"] = fit_language(rows, causes)
    provenance = {
        "made": "training/data/mixture and training/train/mixture.py on simulated validation scenes, no recordings",
        "rows": hashlib.sha256(text).hexdigest()[:12],
        **about,
        "crossValidation": record,
    }
    document = {"version": 1, "provenance": provenance, "sets": sets, "causes": causes, "languageCauses": share}
    args.out.write_text(json.dumps(document, indent=2) + "\n")
    if args.manifest:
        note_in_manifest(args.manifest, args.out)
    for name, result in record.items():
        print(name, json.dumps(result))


if __name__ == "__main__":
    main()
