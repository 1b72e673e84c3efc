"""Trains the contact classifier on what candidates.ts has made, and writes it as JSON.

python -m training.train.contacts ROWS.f32 [ROWS.f32 ...] --out models/contacts.json [--manifest models/manifest.json]
    [--weights W ...] [--quiet-share S ...]

Scenes are split by seed into three folds. Each fold's events are found with a classifier that has not seen it, as
src/memory/events/contact/contact-rule.ts finds them, and compared with the simulator's contacts; the threshold with the best F1 over
all folds is taken, each file counting by its weight. Of the moments without a contact, `--quiet-share` of each file are learned
from, and count for the others. The classifier that is written is trained on all scenes. Deterministic.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

FOLDS = 3
ALL_LEFT = 1e30  # in place of an infinity, which JSON lacks: known values go left, unknown ones may go right
TREES, LEAVES = 250, 31
SETTLED, QUIET, UNLIKELY = 2, 5, 0.5  # as in src/memory/events/contact/contact-rule.ts
WITHIN = 0.4  # s, as in the scorer
HZ = 10
KEPT_COLUMNS = ["seed", "pair", "k", "label", "a", "b"]


def load(paths: list[Path]) -> tuple[np.ndarray, list[str], dict[tuple[int, int], list[dict]]]:
    """Rows (n, columns) with the number of the file in front, the columns, and the contacts by (file, seed)."""
    rows, contacts, columns = [], {}, None
    for n, path in enumerate(paths):
        about = json.loads(path.with_suffix(path.suffix + ".json").read_text())
        assert columns is None or columns == ["file", *about["columns"]], "rows of different features"
        columns = ["file", *about["columns"]]
        data = np.fromfile(path, np.float32).reshape(-1, len(columns) - 1)
        rows.append(np.c_[np.full(len(data), n, np.float32), data])
        contacts |= {(n, int(seed)): events for seed, events in about["scenes"].items()}
    return np.concatenate(rows), columns, contacts


def tell(k: np.ndarray, p: np.ndarray, threshold: float) -> list[tuple[int, float]]:
    """(sample, probability) of the contacts told of one pair; the same as ContactRule."""
    out, best, told = [], None, -(10**6)
    for k1, p1 in [*zip(k.astype(int), p), (10**6, 0.0)]:
        if best is not None and k1 - best[0] > SETTLED + 1:  # out of reach in between
            out.append(best)
            told, best = best[0], None
        if k1 - told <= QUIET:
            if p1 >= threshold * UNLIKELY:
                told = k1
            continue
        if p1 >= threshold and (best is None or p1 > best[1]):
            best = (k1, p1)
        elif best is not None and k1 - best[0] >= SETTLED:
            out.append(best)
            told, best = (k1 if p1 >= threshold * UNLIKELY else best[0]), None
    return out


def score(
    rows: np.ndarray, p: np.ndarray, contacts: dict, keys: list, threshold: float, told: list[tuple[float, bool]] | None = None
) -> tuple[int, int, int]:
    """True, false and missed contacts over the scenes `keys`; `told` takes (probability, was it one) of what was told."""
    said = defaultdict(list)
    order = np.lexsort((rows[:, 3], rows[:, 2], rows[:, 1], rows[:, 0]))
    cut = np.flatnonzero(np.any(np.diff(rows[order, :3], axis=0) != 0, axis=1)) + 1
    for part in np.split(order, cut):
        if len(part) and p[part].max() >= threshold:
            for k, q in tell(rows[part, 3], p[part], threshold):
                row = part[np.flatnonzero(rows[part, 3] == k)[0]]
                who = frozenset(map(int, rows[row, 5:7]))
                said[int(rows[row, 0]), int(rows[row, 1])].append((k / HZ, who, q))
    tp = fp = fn = 0
    for key in keys:
        left = list(said[key])
        for event in contacts[key]:
            near = [s for s in left if s[1] == frozenset(event["objects"]) and abs(s[0] - event["t"]) <= WITHIN + 1e-6]
            if near:
                best = min(near, key=lambda s: abs(s[0] - event["t"]))
                left.remove(best)
                if told is not None:
                    told.append((best[2], True))
            tp, fn = tp + bool(near), fn + (not near)
        fp += len(left)
        if told is not None:
            told += [(q, False) for _, _, q in left]
    return tp, fp, fn


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> HistGradientBoostingClassifier:
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


def confidence(told: list[tuple[float, bool]]) -> dict:
    """Slope and offset of the log odds that a told contact is one (Platt 1999)."""
    q, true = np.array([t[0] for t in told]), np.array([t[1] for t in told])
    line = LogisticRegression(C=10.0).fit(np.log(q / (1 - q))[:, None], true)
    return dict(slope=round(float(line.coef_[0, 0]), 4), offset=round(float(line.intercept_[0]), 4))


def export(model: HistGradientBoostingClassifier, features: list[str], threshold: float, told: list) -> dict:
    trees = []
    for (predictor,) in model._predictors:
        n = predictor.nodes
        leaf = n["is_leaf"].astype(bool)
        trees.append(
            dict(
                feature=np.where(leaf, -1, n["feature_idx"]).astype(int).tolist(),
                threshold=[
                    0.0 if at_leaf else min(float(np.float32(t)), ALL_LEFT) for at_leaf, t in zip(leaf, n["num_threshold"])
                ],
                left=np.where(leaf, 0, n["left"]).astype(int).tolist(),
                right=np.where(leaf, 0, n["right"]).astype(int).tolist(),
                unknownLeft=n["missing_go_to_left"].astype(int).tolist(),
                value=[round(float(v), 6) if at_leaf else 0.0 for at_leaf, v in zip(leaf, n["value"])],
            )
        )
    return dict(
        kind="contact-classifier",
        version=1,
        features=features,
        base=float(np.ravel(model._baseline_prediction)[0]),
        threshold=round(threshold, 3),
        confidence=confidence(told),
        trees=trees,
    )


def note_in_manifest(manifest: Path, target: Path, made: str, report: dict) -> None:
    document = json.loads(manifest.read_text())
    data = target.read_bytes()
    entry = dict(
        name="contacts",
        role="contacts",
        file=target.name,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        license="Apache-2.0",
        source="trained by us on simulated table-top scenes",
        made=made,
        inputs={},
        outputs={},
        settings={},
        notes=json.dumps(report),
    )
    document["models"] = [m for m in document["models"] if m["role"] != "contacts"] + [entry]
    manifest.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
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
    told: list[tuple[float, bool]] = []
    score(rows, p, contacts, list(contacts), best[1], told)
    model = fit(x[learned], y[learned], weight[learned])
    report = dict(
        scenes=len(contacts),
        contacts=sum(map(len, contacts.values())),
        rows=len(rows),
        crossValidatedF1=round(best[0], 3),
        threshold=round(best[1], 3),
    )
    print(json.dumps(report))
    a.out.write_text(json.dumps(export(model, features, best[1], told), separators=(",", ":")) + "\n")
    if a.manifest:
        made = "python -m training.train.contacts (training/README.md, Contacts)"
        note_in_manifest(a.manifest, a.out, made, report)


if __name__ == "__main__":
    main()
