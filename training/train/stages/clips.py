"""Stage `clip`: masked feature prediction over 4 s of pooled features, what the next 3 s look like, and which events happen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.pixels.features import EVENT_TYPES
from training.models.scene_encoder import CLIP_FRAMES, CLIP_HZ, PATCHES, ClipEncoder

AHEAD_FRAMES = 3 * CLIP_HZ
MASKED_SHARE = 0.5
BACKWARDS = [EVENT_TYPES.index(kind) for kind in ("exit", "enter", "stop", "start", "collide")]
HELD_EVERY = 4


class Scenes:
    """Grids [S, T, 48, 256] of scenes of one length, their events, and which event types each scene tells."""

    def __init__(self, files: list[Path]):
        stored = []
        for path in files:
            with np.load(path) as scene:
                if len(scene["grids"]) >= CLIP_FRAMES + AHEAD_FRAMES:
                    stored.append((torch.from_numpy(scene["grids"]), scene["events"], scene["tells"]))
        self.grids, self.events, self.tells = zip(*stored, strict=True)
        self.scenes = len(stored)

    def window(self, scene: int, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """grid [28, 48, 256] of a clip and what follows, whether each event type happens in the clip and after it [2, 5],
        and whether that is told at all [2, 5]."""
        grid = self.grids[scene][start : start + CLIP_FRAMES + AHEAD_FRAMES].float()
        happens = np.zeros((2, len(EVENT_TYPES)), np.float32)
        for kind, frame in self.events[scene]:
            if 0 <= frame - start < CLIP_FRAMES + AHEAD_FRAMES:
                happens[int(frame - start >= CLIP_FRAMES), kind] = 1
        told = np.repeat(self.tells[scene][None], 2, 0).astype(np.float32)
        return grid, torch.from_numpy(happens), torch.from_numpy(told)

    def starts(self, scene: int) -> int:
        return len(self.grids[scene]) - CLIP_FRAMES - AHEAD_FRAMES + 1

    def batch(self, picks: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
        grids, happens, told = zip(*(self.window(scene, start) for scene, start in picks), strict=True)
        return torch.stack(grids), torch.stack(happens), torch.stack(told)


def standardise(encoder: ClipEncoder, scenes: Scenes) -> None:
    """Set the encoder's mean and scale per channel from the training scenes."""
    frames = torch.cat([grid[::4].float().flatten(0, 1) for grid in scenes.grids])
    encoder.mean.copy_(frames.mean(0))
    encoder.scale.copy_(frames.std(0) + 1e-3)


def hide(rng: np.random.Generator, count: int) -> Tensor:
    """[B, 16, 12]: half of the places: single ones, whole columns of time, or the last frames."""
    masks = rng.random((count, CLIP_FRAMES, PATCHES)) < MASKED_SHARE
    for mask in masks:
        kind = rng.random()
        if kind < 0.35:
            mask[:] = rng.random(PATCHES) < MASKED_SHARE
        elif kind < 0.6:
            mask[:] = False
            mask[int(rng.integers(4, CLIP_FRAMES - 1)) :] = True
    return torch.from_numpy(masks)


def flip(grids: Tensor) -> Tensor:
    """Mirror left and right."""
    return grids.unflatten(2, (-1, 8)).flip(3).flatten(2, 3)


def backwards(grids: Tensor, scenes: Scenes, picks: list[tuple[int, int]], happens: Tensor) -> tuple[Tensor, Tensor]:
    """The same clips played backwards: who entered leaves, who stopped starts."""
    turned, last = torch.zeros_like(happens), CLIP_FRAMES + AHEAD_FRAMES - 1
    for row, (scene, start) in enumerate(picks):
        for kind, frame in scenes.events[scene]:
            at = last - (int(frame) - start)
            if 0 <= at <= last:
                turned[row, int(at >= CLIP_FRAMES), BACKWARDS[int(kind)]] = 1
    return grids.flip(1), turned


def clip_losses(encoder: ClipEncoder, scenes: Scenes, rng: np.random.Generator, batch: int) -> dict[str, Tensor]:
    picks = [(scene, int(rng.integers(scenes.starts(scene)))) for scene in rng.integers(scenes.scenes, size=batch)]
    grids, happens, told = scenes.batch(picks)
    grids = flip(grids) if rng.random() < 0.5 else grids
    if rng.random() < 0.5:
        grids, happens = backwards(grids, scenes, picks, happens)
    grids = grids + 0.15 * encoder.scale * torch.randn_like(grids)
    patches = encoder.patches(grids)
    clip, ahead = patches[:, :CLIP_FRAMES], patches[:, CLIP_FRAMES:]
    masked = hide(rng, batch)
    # Half of the clips are shown whole, as they will be later.
    masked[batch // 2 :] = False
    token, features = encoder.encode(clip, masked)
    filled = fill(encoder, clip, masked, features)
    logits = encoder.events(token * 8).unflatten(1, (2, -1))
    events = F.binary_cross_entropy_with_logits(logits, happens, told, reduction="sum") / told.sum()
    return {
        "masked": F.smooth_l1_loss(filled[masked], clip[masked]),
        "ahead": 0.5 * F.smooth_l1_loss(foresee(encoder, token, clip), ahead.mean(1)),
        "events": 0.5 * events,
    }


def fill(encoder: ClipEncoder, clip: Tensor, masked: Tensor, features: Tensor) -> Tensor:
    """Features [B, 16, 12, 256] of every place: what it showed in the frames where it was seen, weighted by attention and by
    how far away they are in time, and a correction; a place that was never seen starts from the mean of its scene."""
    features = features.unflatten(1, (CLIP_FRAMES, PATCHES))
    seek, offer = (layer(features).transpose(1, 2) for layer in (encoder.seek, encoder.offer))
    steps = torch.arange(CLIP_FRAMES)
    weights = torch.matmul(seek, offer.transpose(-2, -1)) * 32**-0.5 + encoder.apart[(steps[:, None] - steps).abs()]
    weights = weights.masked_fill(masked.transpose(1, 2)[:, :, None], -1e4).softmax(-1)
    read = torch.matmul(weights, clip.transpose(1, 2)).transpose(1, 2)
    ever = (~masked).any(1, keepdim=True)[..., None]
    return torch.where(ever, read, copied(clip, masked)) + encoder.fill(features)


def copied(clip: Tensor, masked: Tensor) -> Tensor:
    """The time average of the seen features of each place [B, 1, 12, 256]; the place's own scene if never seen."""
    seen = (~masked)[..., None].float()
    everywhere = (clip * seen).sum((1, 2), keepdim=True) / seen.sum((1, 2), keepdim=True).clamp(min=1)
    count = seen.sum(1, keepdim=True)
    return torch.where(count > 0, (clip * seen).sum(1, keepdim=True) / count.clamp(min=1), everywhere)


def foresee(encoder: ClipEncoder, token: Tensor, clip: Tensor) -> Tensor:
    """Mean features of the next 3 s [B, 12, 256]: the clip's last second and the token's correction."""
    return clip[:, -CLIP_HZ:].mean(1) + encoder.foresee(token * 8).unflatten(1, (PATCHES, -1))


@torch.no_grad()
def clip_scores(encoder: ClipEncoder, scenes: Scenes) -> dict:
    """On held-out scenes: squared error of masked features against two simple fillers, and average precision of the events."""
    encoder.eval()
    rng = np.random.default_rng(2)
    errors: dict[str, list[float]] = {name: [] for name in ("model", "mean of all training", "time average of the seen")}
    ahead: dict[str, list[float]] = {"model": [], "last second": []}
    shares, happened, known = [], [], []
    for scene in range(scenes.scenes):
        grids, happens, told = scenes.batch([(scene, start) for start in range(0, scenes.starts(scene), HELD_EVERY)])
        patches = encoder.patches(grids)
        clip, future = patches[:, :CLIP_FRAMES], patches[:, CLIP_FRAMES:].mean(1)
        masked = hide(rng, len(clip))
        simple = copied(clip, masked).expand_as(clip)
        filled = fill(encoder, clip, masked, encoder.encode(clip, masked)[1])
        for name, guess in zip(errors, (filled, torch.zeros_like(clip), simple), strict=True):
            errors[name].append(float((guess - clip)[masked].square().mean()))
        token, _ = encoder.encode(clip)
        ahead["model"].append(float((foresee(encoder, token, clip) - future).square().mean()))
        ahead["last second"].append(float((clip[:, -CLIP_HZ:].mean(1) - future).square().mean()))
        shares.append(torch.sigmoid(encoder.events(token * 8)).unflatten(1, (2, -1)).numpy())
        happened.append(happens.numpy())
        known.append(told.numpy())
    tables = [np.concatenate(part) for part in (shares, happened, known)]
    return {
        "masked features, squared error": {name: round(float(np.mean(v)), 4) for name, v in errors.items()},
        "next 3 s, squared error": {name: round(float(np.mean(v)), 4) for name, v in ahead.items()},
        "events": event_table(*tables),
    }


def event_table(shares: np.ndarray, happened: np.ndarray, known: np.ndarray) -> dict:
    rows = {}
    for when, name in enumerate(("in the clip", "next 3 s")):
        for kind, label in enumerate(EVENT_TYPES):
            told = known[:, when, kind] > 0
            truth = happened[told, when, kind]
            if truth.sum() >= 5 and truth.sum() <= len(truth) - 5:
                precision = average_precision(shares[told, when, kind], truth)
                rows[f"{label}, {name}"] = {"clips": len(truth), "base rate": round(float(truth.mean()), 3), "ap": precision}
    return rows


def average_precision(shares: np.ndarray, truth: np.ndarray) -> float:
    order = np.argsort(-shares, kind="stable")
    hits = truth[order]
    precision = hits.cumsum() / (np.arange(len(hits)) + 1)
    return round(float((precision * hits).sum() / hits.sum()), 3)
