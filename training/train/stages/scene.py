"""Stage `clip`: masked feature prediction over 4 s of pooled features, mean features of the next 3 s, and events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.data.pixels.features import EVENT_TYPES
from training.models.scene_encoder import PATCHES, WINDOW_FRAMES, WINDOW_HZ, SceneEncoder

AHEAD_FRAMES = 3 * WINDOW_HZ
MASKED_SHARE = 0.5
BACKWARDS = [EVENT_TYPES.index(kind) for kind in ("exit", "enter", "stop", "start", "collide")]
HELD_EVERY = 4


class Scenes:
    """Grids [S, T, 48, 256] of scenes of one length, their events, and the event types that each scene reports."""

    def __init__(self, files: list[Path]):
        stored = []
        for path in files:
            with np.load(path) as scene:
                if len(scene["grids"]) >= WINDOW_FRAMES + AHEAD_FRAMES:
                    stored.append((torch.from_numpy(scene["grids"]), scene["events"], scene["reported"]))
        self.grids, self.events, self.reported = zip(*stored, strict=True)
        self.scenes = len(stored)

    def window(self, scene: int, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """Grid [28, 48, 256] of a window and the 3 s after it.

        Also returns whether each event type happens in the window and after it [2, 5], and whether it is reported at all [2,
        5].
        """
        grid = self.grids[scene][start : start + WINDOW_FRAMES + AHEAD_FRAMES].float()
        happens = np.zeros((2, len(EVENT_TYPES)), np.float32)
        for kind, frame in self.events[scene]:
            if 0 <= frame - start < WINDOW_FRAMES + AHEAD_FRAMES:
                happens[int(frame - start >= WINDOW_FRAMES), kind] = 1
        reported = np.repeat(self.reported[scene][None], 2, 0).astype(np.float32)
        return grid, torch.from_numpy(happens), torch.from_numpy(reported)

    def starts(self, scene: int) -> int:
        """Number of possible windows."""
        return len(self.grids[scene]) - WINDOW_FRAMES - AHEAD_FRAMES + 1

    def batch(self, picks: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Windows of (scene, start) picks, stacked."""
        grids, happens, reported = zip(*(self.window(scene, start) for scene, start in picks), strict=True)
        return torch.stack(grids), torch.stack(happens), torch.stack(reported)


def standardise(encoder: SceneEncoder, scenes: Scenes) -> None:
    """Set the mean and scale per channel of the encoder from the training scenes."""
    frames = torch.cat([grid[::4].float().flatten(0, 1) for grid in scenes.grids])
    encoder.mean.copy_(frames.mean(0))
    encoder.scale.copy_(frames.std(0) + 1e-3)


def hide(rng: np.random.Generator, count: int) -> Tensor:
    """Masks [B, 16, 12] of half of the patches: single ones, whole columns of time, or the last frames."""
    masks = rng.random((count, WINDOW_FRAMES, PATCHES)) < MASKED_SHARE
    for mask in masks:
        kind = rng.random()
        if kind < 0.35:
            mask[:] = rng.random(PATCHES) < MASKED_SHARE
        elif kind < 0.6:
            mask[:] = False
            mask[int(rng.integers(4, WINDOW_FRAMES - 1)) :] = True
    return torch.from_numpy(masks)


def flip(grids: Tensor) -> Tensor:
    """Mirror left and right."""
    return grids.unflatten(2, (-1, 8)).flip(3).flatten(2, 3)


def backwards(grids: Tensor, scenes: Scenes, picks: list[tuple[int, int]], happens: Tensor) -> tuple[Tensor, Tensor]:
    """The same windows played backwards: an enter becomes an exit, a stop a start."""
    turned, last = torch.zeros_like(happens), WINDOW_FRAMES + AHEAD_FRAMES - 1
    for row, (scene, start) in enumerate(picks):
        for kind, frame in scenes.events[scene]:
            at = last - (int(frame) - start)
            if 0 <= at <= last:
                turned[row, int(at >= WINDOW_FRAMES), BACKWARDS[int(kind)]] = 1
    return grids.flip(1), turned


def scene_losses(encoder: SceneEncoder, scenes: Scenes, rng: np.random.Generator, batch: int) -> dict[str, Tensor]:
    """Losses of a random, augmented batch."""
    picks = [(scene, int(rng.integers(scenes.starts(scene)))) for scene in rng.integers(scenes.scenes, size=batch)]
    grids, happens, reported = scenes.batch(picks)
    grids = flip(grids) if rng.random() < 0.5 else grids
    if rng.random() < 0.5:
        grids, happens = backwards(grids, scenes, picks, happens)
    grids = grids + 0.15 * encoder.scale * torch.randn_like(grids)
    patches = encoder.patches(grids)
    window, ahead = patches[:, :WINDOW_FRAMES], patches[:, WINDOW_FRAMES:]
    masked = hide(rng, batch)
    # Half of the windows are complete, as at run time.
    masked[batch // 2 :] = False
    embedding, features = encoder.encode(window, masked)
    filled = fill(encoder, window, masked, features)
    logits = encoder.events(embedding * 8).unflatten(1, (2, -1))
    events = functional.binary_cross_entropy_with_logits(logits, happens, reported, reduction="sum") / reported.sum()
    return {
        "masked": functional.smooth_l1_loss(filled[masked], window[masked]),
        "ahead": 0.5 * functional.smooth_l1_loss(predict_ahead(encoder, embedding, window), ahead.mean(1)),
        "events": 0.5 * events,
    }


def fill(encoder: SceneEncoder, window: Tensor, masked: Tensor, features: Tensor) -> Tensor:
    """Predict the features [B, 16, 12, 256] of every patch.

    A prediction is the attention-weighted mean of the frames in which the patch was visible, plus a correction. A patch that
    was
    never visible starts from the mean of its scene.
    """
    features = features.unflatten(1, (WINDOW_FRAMES, PATCHES))
    seek, offer = (layer(features).transpose(1, 2) for layer in (encoder.seek, encoder.offer))
    steps = torch.arange(WINDOW_FRAMES)
    weights = torch.matmul(seek, offer.transpose(-2, -1)) * 32**-0.5 + encoder.apart[(steps[:, None] - steps).abs()]
    weights = weights.masked_fill(masked.transpose(1, 2)[:, :, None], -1e4).softmax(-1)
    read = torch.matmul(weights, window.transpose(1, 2)).transpose(1, 2)
    ever = (~masked).any(1, keepdim=True)[..., None]
    return torch.where(ever, read, time_average(window, masked)) + encoder.fill(features)


def time_average(window: Tensor, masked: Tensor) -> Tensor:
    """Time average of the visible features of each patch [B, 1, 12, 256]; the mean of the scene if never visible."""
    seen = (~masked)[..., None].float()
    everywhere = (window * seen).sum((1, 2), keepdim=True) / seen.sum((1, 2), keepdim=True).clamp(min=1)
    count = seen.sum(1, keepdim=True)
    return torch.where(count > 0, (window * seen).sum(1, keepdim=True) / count.clamp(min=1), everywhere)


def predict_ahead(encoder: SceneEncoder, embedding: Tensor, window: Tensor) -> Tensor:
    """Mean features of the next 3 s [B, 12, 256]: those of the last second plus a correction from the embedding."""
    return window[:, -WINDOW_HZ:].mean(1) + encoder.ahead(embedding * 8).unflatten(1, (PATCHES, -1))


@torch.no_grad()
def scene_scores(encoder: SceneEncoder, scenes: Scenes) -> dict[str, Any]:
    """On held-out scenes: squared error of masked features against two baselines, and average precision of events."""
    encoder.eval()
    rng = np.random.default_rng(2)
    errors: dict[str, list[float]] = {name: [] for name in ("model", "mean of all training", "time average of the seen")}
    ahead: dict[str, list[float]] = {"model": [], "last second": []}
    shares, happened, known = [], [], []
    for scene in range(scenes.scenes):
        grids, happens, reported = scenes.batch([(scene, start) for start in range(0, scenes.starts(scene), HELD_EVERY)])
        patches = encoder.patches(grids)
        window, future = patches[:, :WINDOW_FRAMES], patches[:, WINDOW_FRAMES:].mean(1)
        masked = hide(rng, len(window))
        simple = time_average(window, masked).expand_as(window)
        filled = fill(encoder, window, masked, encoder.encode(window, masked)[1])
        for name, guess in zip(errors, (filled, torch.zeros_like(window), simple), strict=True):
            errors[name].append(float((guess - window)[masked].square().mean()))
        embedding, _ = encoder.encode(window)
        ahead["model"].append(float((predict_ahead(encoder, embedding, window) - future).square().mean()))
        ahead["last second"].append(float((window[:, -WINDOW_HZ:].mean(1) - future).square().mean()))
        shares.append(torch.sigmoid(encoder.events(embedding * 8)).unflatten(1, (2, -1)).numpy())
        happened.append(happens.numpy())
        known.append(reported.numpy())
    tables = [np.concatenate(arrays) for arrays in (shares, happened, known)]
    return {
        "masked features, squared error": {name: round(float(np.mean(v)), 4) for name, v in errors.items()},
        "next 3 s, squared error": {name: round(float(np.mean(v)), 4) for name, v in ahead.items()},
        "events": event_table(*tables),
    }


def event_table(shares: np.ndarray, happened: np.ndarray, known: np.ndarray) -> dict[str, Any]:
    """Average precision by event type, where there are enough positive and negative cases."""
    rows = {}
    for when, name in enumerate(("in the clip", "next 3 s")):
        for kind, label in enumerate(EVENT_TYPES):
            reported = known[:, when, kind] > 0
            truth = happened[reported, when, kind]
            if truth.sum() >= 5 and truth.sum() <= len(truth) - 5:
                precision = average_precision(shares[reported, when, kind], truth)
                rows[f"{label}, {name}"] = {"clips": len(truth), "base rate": round(float(truth.mean()), 3), "ap": precision}
    return rows


def average_precision(shares: np.ndarray, truth: np.ndarray) -> float:
    """Average precision; ties are ordered by position."""
    order = np.argsort(-shares, kind="stable")
    hits = truth[order]
    precision = hits.cumsum() / (np.arange(len(hits)) + 1)
    return round(float((precision * hits).sum() / hits.sum()), 3)
