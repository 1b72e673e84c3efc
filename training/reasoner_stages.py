"""The stages `forecast` and `causes` as whole runs: examples, training with looks at held-out scenes, calibration, scores."""

from __future__ import annotations

from pathlib import Path

from .models.causes import CauseHead
from .models.forecaster import Forecaster
from .run import Run
from .stages import causes, forecast

EVENT_NAMES = (
    "enter", "appear", "exit", "disappear", "start_moving", "stop", "turn", "meet", "separate", "approach", "collide", "zone_enter",
    "zone_leave", "line_cross", "loiter", "follow", "pick_up", "put_down", "fall",
)  # fmt: skip
"""As EVENT_TYPES in src/core/ontology.ts."""


def train_forecast(run: Run, model: Forecaster, train: list[Path], held: list[Path], test: list[Path]) -> dict:
    examples, checked = forecast.examples_of(train), forecast.examples_of(held)
    groups = examples.groups()
    model.train()
    run.train(
        lambda rng: forecast.forecast_losses(model, examples, groups, rng, run.config.batch),
        lambda: forecast.held_loss(model, checked),
    )
    forecast.calibrate(model, checked)
    run.save()
    return {"held": forecast.forecast_scores(model, checked), "test": forecast.forecast_scores(model, forecast.examples_of(test))}


def train_causes(run: Run, head: CauseHead, train: list[Path], held: list[Path], test: list[Path]) -> dict:
    scenes, checked = causes.scenes_of(train), causes.scenes_of(held)
    groups, names = scenes.events.groups(), dict(enumerate(EVENT_NAMES))
    head.train()
    run.train(
        lambda rng: causes.cause_losses(head, scenes, groups, rng, run.config.batch),
        lambda: causes.held_loss(head, checked),
    )
    causes.calibrate(head, checked)
    run.save()
    return {"held": causes.cause_scores(head, checked, names), "test": causes.cause_scores(head, causes.scenes_of(test), names)}
