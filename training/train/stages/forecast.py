"""Stage `forecast`: events of objects and pairs in the next 3 s, from re-simulated futures, and paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.data.tracks.examples import HZ, TRACK_NAMES, Examples, front, mirror, roughen, together, tracks_at
from training.evaluate.probability_scores import fit_logistic, scores
from training.models.forecaster import BINS, PAIR_TYPES, SINGLE_TYPES, STEPS, Forecaster
from training.models.kinematics import motion_of

RERUN_SHARE = 0.6
"""Weight of the distribution of the re-runs in the labels. The rest is the actual outcome: unbiased, but a single draw."""
PATH_WEIGHT = 0.15
OTHER_MODES = 0.05
MIN_AHEAD = 10
CHUNK = 256
NEEDED = ("boxes", "seen", "kind", "aspect", "world", "moment", "single", "pair", "actual_single", "actual_pair", "future")
PER_THING: dict[str, tuple[int, ...]] = {
    name: (1,) for name in ("boxes", "seen", "kind", "age", "single", "actual_single", "future")
}
PER_THING |= {"pair": (1, 2), "actual_pair": (1, 2)}


def examples_of(files: list[Path]) -> Examples:
    """Examples of shards, two moments per scene."""
    return together([shard_examples(path, moment) for path in files for moment in (0, 1)])


def shard_examples(path: Path, moment: int) -> Examples:
    """Examples of one moment of each scene of a shard."""
    with np.load(path) as stored:
        shard = {name: stored[name] for name in NEEDED}
    ends = np.round(shard["moment"][:, moment] * HZ).astype(int)
    scene = np.flatnonzero(np.isfinite(shard["moment"][:, moment]))
    arrays = tracks_at(shard, scene, ends[scene], STEPS)
    for name in ("single", "pair"):
        arrays[name] = labels(shard[name][scene, moment], shard[f"actual_{name}"][scene, moment])
        arrays[f"actual_{name}"] = shard[f"actual_{name}"][scene, moment]
    arrays["future"] = shard["future"][scene, moment].astype(np.float16)
    return front(arrays, PER_THING, shard["world"][scene])


def labels(rerun: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Distribution [..., 7] over the bins and `not`, float16; NaN where unknown."""
    rerun = rerun.astype(np.float32)
    never = 1 - rerun.sum(-1, keepdims=True)
    soft = np.concatenate([rerun, never], -1).clip(0, 1)
    hard = (actual[..., None] == np.arange(BINS + 1)).astype(np.float32)
    known, happened = np.isfinite(soft).all(-1), actual >= 0
    share = np.where(known & happened, RERUN_SHARE, known.astype(np.float32))[..., None]
    mixed = share * np.nan_to_num(soft) + (1 - share) * hard
    mixed[~(known | happened)] = np.nan
    return mixed.astype(np.float16)


def forecast_losses(
    model: Forecaster, examples: Examples, groups: list[np.ndarray], rng: np.random.Generator, batch: int
) -> dict[str, Any]:
    """Losses of a random, augmented batch."""
    rows = examples.rows(examples.pick(rng, groups, batch), PER_THING)
    flipped = torch.from_numpy(rng.random(batch) < 0.5)
    mirror(rows, flipped)
    ahead = rows["future"][..., 0]
    turned = torch.where(flipped[:, None, None], rows["aspect"][:, None, None] - ahead, ahead)
    rows["future"] = torch.stack([turned, rows["future"][..., 1]], -1)
    roughen(rows, rng)
    return losses_of(model, rows)


def losses_of(model: Forecaster, rows: dict[str, Tensor]) -> dict[str, Tensor]:
    """Loss by event type and of the paths."""
    single, pair, paths, modes, valid = model(*(rows[name] for name in TRACK_NAMES))
    losses = {}
    for index, name in enumerate(SINGLE_TYPES):
        losses[name] = cross_entropy(single[:, :, index], rows["single"][:, :, index], valid)
    for index, name in enumerate(PAIR_TYPES):
        both = valid[:, :, None] * valid[:, None]
        losses[name] = cross_entropy(pair[:, :, :, index], rows["pair"][:, :, :, index], both)
    return losses | {"paths": PATH_WEIGHT * path_loss(rows, paths, modes)}


def cross_entropy(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Mean cross entropy over due items."""
    due = ~target.isnan().any(-1) & (valid > 0)
    log_shares = functional.log_softmax(logits, -1)
    return -(log_shares * torch.nan_to_num(target)).sum(-1)[due].sum() / due.sum().clamp(min=1)


def path_loss(rows: dict[str, Tensor], paths: Tensor, modes: Tensor) -> Tensor:
    """Negative log likelihood of the true path under the best of six paths (a small share under the others), in body heights."""
    future = rows["future"]
    known = ~future.isnan().any(-1)
    height = motion_of(rows["boxes"], rows["seen"], rows["kind"]).height
    due = (known.sum(-1) >= MIN_AHEAD) & (rows["seen"][..., -1] > 0)
    if not due.any():
        return modes.sum() * 0
    known, height = known[due].float()[:, None], height[due][:, None, None]
    gap = torch.nan_to_num(future)[due][:, None] - paths[due][..., :2]
    square = ((gap / height[..., None]) ** 2).sum(-1).clamp(max=100)
    deviation = paths[due][..., 2] / height
    nll = ((square / (2 * deviation**2)).clamp(max=50) + 2 * torch.log(deviation)) * known
    nll = nll.sum(-1) / known.sum(-1)
    best = ((square + 1e-6).sqrt() * known).sum(-1).argmin(1)
    won = nll.gather(1, best[:, None])[:, 0]
    return ((1 - OTHER_MODES) * won + OTHER_MODES * nll.mean(1)).mean() + functional.cross_entropy(modes[due], best)


@torch.no_grad()
def predictions(model: Forecaster, examples: Examples) -> dict[str, np.ndarray]:
    """Logits of "it happens" [n] and truth of all due items by type, and errors of paths."""
    model.eval()
    found: dict[str, list[Any]] = {}
    for group in examples.groups():
        for start in range(0, len(group), CHUNK):
            rows = examples.rows(group[start : start + CHUNK], PER_THING)
            single, pair, paths, modes, valid = model(*(rows[name] for name in TRACK_NAMES))
            upper = torch.triu(torch.ones(pair.shape[1], pair.shape[1], dtype=torch.bool), 1).expand(pair.shape[:3])
            for types, logits, actual, open_ in (
                (SINGLE_TYPES, single, rows["actual_single"], valid > 0),
                (PAIR_TYPES, pair, rows["actual_pair"], upper & (valid[:, :, None] > 0) & (valid[:, None] > 0)),
            ):
                for index, name in enumerate(types):
                    due = open_ & (actual[..., index] >= 0)
                    chosen = logits[..., index, :][due]
                    found.setdefault(f"{name} logit", []).append(torch.logsumexp(chosen[:, :BINS], -1) - chosen[:, BINS])
                    found.setdefault(f"{name} true", []).append((actual[..., index][due] < BINS).float())
            found.setdefault("paths", []).append(path_errors(rows, paths, modes))
    return {name: torch.cat(arrays).numpy() for name, arrays in found.items()}


def path_errors(rows: dict[str, Tensor], paths: Tensor, modes: Tensor) -> Tensor:
    """Errors [n, 3] after the last known step, in body heights: likeliest path, best path, standing still."""
    motion = motion_of(rows["boxes"], rows["seen"], rows["kind"])
    known = ~rows["future"].isnan().any(-1)
    due = (known.sum(-1) >= MIN_AHEAD) & (rows["seen"][..., -1] > 0)
    end = (known[due] * torch.arange(1, known.shape[-1] + 1)).argmax(-1)
    at = torch.arange(len(end))
    truth = rows["future"][due][at, end]
    place = motion.at_last(motion.position)[due]
    gaps = (paths[due][at, :, end, :2] - truth[:, None]).norm(dim=-1)
    likeliest = gaps[at, modes[due].argmax(-1)]
    return torch.stack([likeliest, gaps.amin(1), (place - truth).norm(dim=-1)], 1) / motion.height[due][:, None]


@torch.no_grad()
def calibrate(model: Forecaster, held: Examples) -> None:
    """Fit shift and scale per type on the actual outcomes of held-out scenes."""
    predicted = predictions(model, held)
    for index, name in enumerate((*SINGLE_TYPES, *PAIR_TYPES)):
        model.scale[index], model.shift[index] = fit_logistic(predicted[f"{name} logit"], predicted[f"{name} true"])


def forecast_scores(model: Forecaster, examples: Examples) -> dict[str, Any]:
    """Scores per type and of all items, against actual outcomes, with the calibration of the model."""
    predicted = predictions(model, examples)
    found, every = {}, []
    for index, name in enumerate((*SINGLE_TYPES, *PAIR_TYPES)):
        logit = predicted[f"{name} logit"] * float(model.scale[index]) + float(model.shift[index])
        probability, true = 1 / (1 + np.exp(-logit.clip(-30, 30))), predicted[f"{name} true"]
        found[name] = scores(probability, true)
        every.append((probability, true))
    found["all"] = scores(*(np.concatenate(column) for column in zip(*every, strict=True)))
    errors = predicted["paths"]
    names = ("likeliest", "best of six", "standing still")
    return found | {
        "path error at 3 s, body heights, median": dict(zip(names, np.median(errors, 0).round(3).tolist(), strict=True))
    }


@torch.no_grad()
def held_loss(model: Forecaster, held: Examples, limit: int = 3000) -> float:
    """Mean loss on about `limit` held-out examples."""
    model.eval()
    total, count = 0.0, 0
    for group in held.groups():
        chosen = group[: max(1, limit * len(group) // held.size)]
        for start in range(0, len(chosen), CHUNK):
            index = chosen[start : start + CHUNK]
            total += float(sum(losses_of(model, held.rows(index, PER_THING)).values())) * len(index)
            count += len(index)
    model.train()
    return total / count
