"""The stages `forecast` and `causes` as complete runs: examples, training, calibration, scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from training.data.tracks.examples import Examples
from training.models.causes import CauseHead
from training.models.forecaster import Forecaster
from training.train.run import Run
from training.train.stages import causes, forecast


@dataclass(frozen=True)
class TrackStage:
    """Functions of a stage on track scenes; `read` converts shards to the data of the other functions."""

    module: type[nn.Module]
    read: Callable[[list[Path]], Any]
    examples: Callable[..., Examples]
    losses: Callable[..., dict[str, Tensor]]
    held_loss: Callable[..., float]
    calibrate: Callable[..., None]
    scores: Callable[..., dict[str, Any]]


TRACK_STAGES = {
    "forecast": TrackStage(
        Forecaster, forecast.examples_of, lambda data: data,
        forecast.forecast_losses, forecast.held_loss, forecast.calibrate, forecast.forecast_scores,
    ),
    "causes": TrackStage(
        CauseHead, causes.scenes_of, lambda data: data.events,
        causes.cause_losses, causes.held_loss, causes.calibrate, causes.cause_scores,
    ),
}  # fmt: skip


def train_on_tracks(run: Run, module: nn.Module, train: list[Path], held: list[Path], test: list[Path]) -> dict[str, Any]:
    """Train and calibrate a stage; return scores on held-out and on test scenes."""
    stage = TRACK_STAGES[run.config.stage]
    data, checked = stage.read(train), stage.read(held)
    groups = stage.examples(data).groups()
    module.train()
    run.train(
        lambda rng: stage.losses(module, data, groups, rng, run.config.batch),
        lambda: stage.held_loss(module, checked),
    )
    stage.calibrate(module, checked)
    run.save()
    return {"held": stage.scores(module, checked), "test": stage.scores(module, stage.read(test))}
