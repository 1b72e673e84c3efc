"""Trains the contact classifier on the rows of candidates.ts and writes it as JSON.

    python -m training.train.contacts ROWS.f32 [ROWS.f32 ...] --out models/contacts.json [--manifest models/manifest.json]
        [--weights W ...] [--quiet-share S ...]

Scenes are split by seed into three folds. The events of each fold are found with a classifier that was not trained on it, with
the
rule of src/memory/events/contact/contact-rule.ts, and compared with the contacts of the simulator. The threshold has the best
F1 over
all folds, with a weight for each file. `--quiet-share` is the share of the moments without a contact that is used for
training; these moments are weighted to represent the others. The final classifier is trained on all scenes. Deterministic.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

FOLDS = 3
ALL_LEFT = 1e30  # in place of infinity, which JSON lacks: known values go left, unknown ones may go right
TREES, LEAVES = 250, 31
SETTLED, QUIET, UNLIKELY = 2, 5, 0.5  # as in src/memory/events/contact/contact-rule.ts
WITHIN = 0.4  # s, as in the scorer
HZ = 10
KEPT_COLUMNS = ["seed", "pair", "k", "label", "a", "b"]


def load(paths: list[Path]) -> tuple[np.ndarray, list[str], dict[tuple[int, int], list[dict[str, Any]]]]:
    """Rows (n, columns) with the number of the file first, the columns, and the contacts by (file, seed)."""
    rows: list[np.ndarray] = []
    columns: list[str] = []
    contacts: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for n, path in enumerate(paths):
        about = json.loads(path.with_suffix(path.suffix + ".json").read_text())
        assert not columns or columns == ["file", *about["columns"]], "rows of different features"
        columns = ["file", *about["columns"]]
        data = np.fromfile(path, np.float32).reshape(-1, len(columns) - 1)
        rows.append(np.c_[np.full(len(data), n, np.float32), data])
        contacts |= {(n, int(seed)): events for seed, events in about["scenes"].items()}
    return np.concatenate(rows), columns, contacts


def find_contacts(k: np.ndarray, p: np.ndarray, threshold: float) -> list[tuple[int, float]]:
    """Return (sample, probability) of the contacts of one pair, by the same rule as ContactRule."""
    out, best, latest = [], None, -(10**6)
    for k1, p1 in [*zip(k.astype(int), p, strict=True), (10**6, 0.0)]:
        if best is not None and k1 - best[0] > SETTLED + 1:  # the pair was apart in between
            out.append(best)
            latest, best = best[0], None
        if k1 - latest <= QUIET:
            if p1 >= threshold * UNLIKELY:
                latest = k1
            continue
        if p1 >= threshold and (best is None or p1 > best[1]):
            best = (k1, p1)
        elif best is not None and k1 - best[0] >= SETTLED:
            out.append(best)
            latest, best = (k1 if p1 >= threshold * UNLIKELY else best[0]), None
    return out


def score(
    rows: np.ndarray,
    p: np.ndarray,
    contacts: dict[tuple[int, int], list[dict[str, Any]]],
    keys: list[tuple[int, int]],
    threshold: float,
    outcomes: list[tuple[float, bool]] | None = None,
) -> tuple[int, int, int]:
    """Return the numbers of true, false and missed contacts over the scenes `keys`.

    outcomes receives (probability, whether it was true) of each contact found.
    """
    found = defaultdict(list)
    order = np.lexsort((rows[:, 3], rows[:, 2], rows[:, 1], rows[:, 0]))
    cut = np.flatnonzero(np.any(np.diff(rows[order, :3], axis=0) != 0, axis=1)) + 1
    for group in np.split(order, cut):
        if len(group) and p[group].max() >= threshold:
            for k, q in find_contacts(rows[group, 3], p[group], threshold):
                row = group[np.flatnonzero(rows[group, 3] == k)[0]]
                who = frozenset(map(int, rows[row, 5:7]))
                found[int(rows[row, 0]), int(rows[row, 1])].append((k / HZ, who, q))
    tp = fp = fn = 0
    for key in keys:
        left = list(found[key])
        for event in contacts[key]:
            near = [s for s in left if s[1] == frozenset(event["objects"]) and abs(s[0] - event["t"]) <= WITHIN + 1e-6]
            if near:
                best = min(near, key=lambda s: abs(s[0] - event["t"]))
                left.remove(best)
                if outcomes is not None:
                    outcomes.append((best[2], True))
            tp, fn = tp + bool(near), fn + (not near)
        fp += len(left)
        if outcomes is not None:
            outcomes += [(q, False) for _, _, q in left]
    return tp, fp, fn


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> HistGradientBoostingClassifier:
    """Train gradient-boosted trees."""
    model = HistGradientBoostingClassifier(
        max_iter=TREES,
        learning_rate=0.08,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=20,
        l2_regularization=2.0,
        max_features=0.5,
        early_stopping=False,
        random_state=1,
    )
    return model.fit(x, y, sample_weight=weight)


def confidence(outcomes: list[tuple[float, bool]]) -> dict[str, Any]:
    """Slope and offset of the log odds that a reported contact is true (Platt 1999)."""
    q, true = np.array([t[0] for t in outcomes]), np.array([t[1] for t in outcomes])
    line = LogisticRegression(C=10.0).fit(np.log(q / (1 - q))[:, None], true)
    return dict(slope=round(float(line.coef_[0, 0]), 4), offset=round(float(line.intercept_[0]), 4))


def export(
    model: HistGradientBoostingClassifier, features: list[str], threshold: float, outcomes: list[tuple[float, bool]]
) -> dict[str, Any]:
    """The classifier as JSON."""
    trees = []
    for (predictor,) in model._predictors:
        n = predictor.nodes
        leaf = n["is_leaf"].astype(bool)
        trees.append(
            dict(
                feature=np.where(leaf, -1, n["feature_idx"]).astype(int).tolist(),
                threshold=[
                    0.0 if at_leaf else min(float(np.float32(t)), ALL_LEFT)
                    for at_leaf, t in zip(leaf, n["num_threshold"], strict=True)
                ],
                left=np.where(leaf, 0, n["left"]).astype(int).tolist(),
                right=np.where(leaf, 0, n["right"]).astype(int).tolist(),
                unknownLeft=n["missing_go_to_left"].astype(int).tolist(),
                value=[round(float(v), 6) if at_leaf else 0.0 for at_leaf, v in zip(leaf, n["value"], strict=True)],
            )
        )
    return dict(
        kind="contact-classifier",
        version=1,
        features=features,
        base=float(np.ravel(model._baseline_prediction)[0]),
        threshold=round(threshold, 3),
        confidence=confidence(outcomes),
        trees=trees,
    )


def update_manifest(manifest: Path, target: Path, made: str, report: dict[str, Any]) -> None:
    """Replace the entry of the classifier."""
    document = json.loads(manifest.read_text())
    data = target.read_bytes()
    entry = dict(
        name="contacts",
        role="contacts",
        file=target.name,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        license="Apache-2.0",
        source="trained here on simulated table-top scenes",
        made=made,
        inputs={},
        outputs={},
        settings={},
        notes=json.dumps(report),
    )
    document["models"] = [m for m in document["models"] if m["role"] != "contacts"] + [entry]
    manifest.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    """Run the command line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("rows", type=Path, nargs="+")
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--manifest", type=Path)
    ap.add_argument("--weights", type=float, nargs="+", help="of each file, default 1")
    ap.add_argument("--quiet-share", type=float, nargs="+", help="of each file, default 1")
    a = ap.parse_args()
    weights, shares = ((given or [1.0] * len(a.rows)) for given in (a.weights, a.quiet_share))
    if not len(weights) == len(shares) == len(a.rows):
        ap.error("--weights and --quiet-share need one value for each file")
    rows, columns, contacts = load(a.rows)
    features = columns[1 + len(KEPT_COLUMNS) :]
    x, y = rows[:, 1 + len(KEPT_COLUMNS) :], rows[:, 4]
    fold = (rows[:, 1].astype(int) * 7919 >> 3) % FOLDS
    file = rows[:, 0].astype(int)
    quiet = y == 0
    share = np.where(quiet, np.take(shares, file), 1.0)
    weight = np.take(weights, file) / share
    learned = (y >= 0) & (np.random.default_rng(1).random(len(y)) < share)
    p = np.zeros(len(rows))
    for f in range(FOLDS):
        train = (fold != f) & learned
        p[fold == f] = fit(x[train], y[train], weight[train]).predict_proba(x[fold == f])[:, 1]
    best = (-1.0, 0.5)
    for threshold in np.arange(0.1, 0.9, 0.025):
        counts = [
            np.multiply(weights[n], score(rows[file == n], p[file == n], contacts, [k for k in contacts if k[0] == n], threshold))
            for n in range(len(a.rows))
        ]
        tp, fp, fn = np.sum(counts, axis=0)
        f1 = 2 * tp / max(2 * tp + fp + fn, 1)
        best = max(best, (float(f1), float(threshold)))
    for n, path in enumerate(a.rows):
        tp, fp, fn = score(rows, p, contacts, [k for k in contacts if k[0] == n], best[1])
        print(f"{path.name}: F1 {2 * tp / max(2 * tp + fp + fn, 1):.3f} at {best[1]:.3f}  true {tp} false {fp} missed {fn}")
    outcomes: list[tuple[float, bool]] = []
    score(rows, p, contacts, list(contacts), best[1], outcomes)
    model = fit(x[learned], y[learned], weight[learned])
    report = dict(
        scenes=len(contacts),
        contacts=sum(map(len, contacts.values())),
        rows=len(rows),
        crossValidatedF1=round(best[0], 3),
        threshold=round(best[1], 3),
    )
    print(json.dumps(report))
    a.out.write_text(json.dumps(export(model, features, best[1], outcomes), separators=(",", ":")) + "\n")
    if a.manifest:
        made = "python -m training.train.contacts (training/README.md, Contacts)"
        update_manifest(a.manifest, a.out, made, report)


if __name__ == "__main__":
    main()
