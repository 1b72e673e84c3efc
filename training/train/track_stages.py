"""The stages `forecast` and `causes` as whole runs: examples, training with looks at held-out scenes, calibration, scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from training.data.tracks.examples import Examples
from training.models.causes import CauseHead
from training.models.forecaster import Forecaster
from training.train.run import Run
from training.train.stages import causes, forecast


@dataclass(frozen=True)
class TokenStage:
    """A stage on token scenes; `read` makes of shards what the other functions take."""

    module: type[nn.Module]
    read: Callable
    examples: Callable[..., Examples]
    losses: Callable[..., dict[str, Tensor]]
    held_loss: Callable[..., float]
    calibrate: Callable[..., None]
    scores: Callable[..., dict]


TOKEN_STAGES = {
    "forecast": TokenStage(
        Forecaster, forecast.examples_of, lambda data: data,
        forecast.forecast_losses, forecast.held_loss, forecast.calibrate, forecast.forecast_scores,
    ),
    "causes": TokenStage(
        CauseHead, causes.scenes_of, lambda data: data.events,
        causes.cause_losses, causes.held_loss, causes.calibrate, causes.cause_scores,
    ),
}  # fmt: skip


def train_on_tokens(run: Run, module: nn.Module, train: list[Path], held: list[Path], test: list[Path]) -> dict:
    stage = TOKEN_STAGES[run.config.stage]
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
