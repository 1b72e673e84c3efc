"""One training run: seed, schedule, checkpoints to resume from, and a JSON record."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

CHECKPOINT_EVERY_S = 60
LOG_EVERY = 50


@dataclass(frozen=True)
class Config:
    """Everything except the data that determines the result of a run."""

    stage: str
    steps: int
    batch: int
    rate: float
    weight_decay: float = 0.02
    warm_up: int = 50
    seed: int = 7
    start: str = ""
    """Earlier training of the initial weights; empty for random weights."""
    held_every: int = 0
    """Steps between evaluations on held-out scenes; 0: none."""
    patience: int = 6
    """Evaluations without a better loss after which the run ends."""
    seconds: float = 0.0
    """Training time in s after which the run ends; the learning rate is scheduled accordingly. 0: no limit."""


@dataclass
class Record:
    """Content of the JSON file of a run in training/train/runs."""

    config: dict[str, Any]
    data: dict[str, Any]
    losses: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict[str, Any])
    seconds: float = 0.0


class Run:
    """Trains a module. The state is saved every minute and restored if the checkpoint exists.

    Raises SystemExit when the checkpoint has another configuration or other data.
    """

    def __init__(self, config: Config, module: nn.Module, folder: Path, data: dict[str, Any]):
        torch.set_num_threads(1)
        self.config, self.module, self.path = config, module, folder / f"{config.stage}.pt"
        self.record = Record(asdict(config), data)
        weights = [p for p in module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(weights, config.rate, weight_decay=config.weight_decay)
        self.step = 0
        self.best: dict[str, Any] = {"loss": math.inf, "step": 0, "module": {}}
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self.restore()

    def restore(self) -> None:
        """Restore the state from the checkpoint."""
        state = torch.load(self.path, weights_only=True)
        if state["config"] != self.record.config or state["data"] != self.record.data:
            raise SystemExit(f"{self.path} belongs to another run (config or data differ): remove it or choose another --work")
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.record.losses, self.record.seconds = state["step"], state["losses"], state["seconds"]
        self.best = state.get("best", self.best)
        print(f"resuming {self.config.stage} at step {self.step}")

    def save(self) -> None:
        """Write the checkpoint."""
        state = {"module": self.module.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        state |= {"config": self.record.config, "data": self.record.data}
        state |= {"losses": self.record.losses, "seconds": self.record.seconds, "best": self.best}
        partial = self.path.with_suffix(".part")
        torch.save(state, partial)
        partial.rename(self.path)

    def rate(self) -> float:
        """Learning rate: linear warm-up, then a cosine to 2 % of the peak."""
        warm = min(1.0, (self.step + 1) / self.config.warm_up)
        return self.config.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.share())))

    def share(self) -> float:
        """Finished share of the run, 0 to 1."""
        limit = self.config.seconds
        return min(1.0, max(self.step / self.config.steps, self.record.seconds / limit if limit else 0))

    def ended(self) -> bool:
        """Whether the run is over, by share or by patience."""
        late = self.config.held_every * self.config.patience
        return self.share() >= 1 or (late > 0 and self.best["step"] > 0 and self.step - self.best["step"] >= late)

    def evaluate(self, held_loss: Callable[[], float]) -> None:
        """Record the held-out loss and keep the best weights."""
        loss = held_loss()
        self.record.losses.append({"step": self.step, "held": round(loss, 4)})
        print(self.config.stage, self.record.losses[-1], flush=True)
        if loss < self.best["loss"]:
            weights = {name: values.detach().clone() for name, values in self.module.state_dict().items()}
            self.best = {"loss": loss, "step": self.step, "module": weights}

    def train(
        self, loss_of: Callable[[np.random.Generator], dict[str, torch.Tensor]], held_loss: Callable[[], float] | None = None
    ) -> None:
        """Train until the run ends.

        Each step is seeded by its number alone, so a resumed run equals an uninterrupted one. With `held_loss`, the module ends
        with the
        weights that were best on held-out scenes.
        """
        started = time.monotonic()
        saved = started
        sums: dict[str, float] = {}
        while not self.ended():
            seed(self.config.seed * 1_000_003 + self.step)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate()
            losses = loss_of(np.random.default_rng([self.config.seed, self.step]))
            self.optimizer.zero_grad(set_to_none=True)
            sum(losses.values()).backward()
            nn.utils.clip_grad_norm_(self.module.parameters(), 5.0)
            self.optimizer.step()
            self.step += 1
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            if self.step % LOG_EVERY == 0:
                self.log({name: round(value / LOG_EVERY, 4) for name, value in sums.items()})
                sums = {}
            if held_loss and self.step % self.config.held_every == 0:
                self.evaluate(held_loss)
            now = time.monotonic()
            self.record.seconds += now - started
            started = now
            if now - saved > CHECKPOINT_EVERY_S:
                saved = now
                self.save()
        if held_loss and self.best["step"] != self.step:
            self.evaluate(held_loss)
        if self.best["module"]:
            self.module.load_state_dict(self.best["module"])
        self.save()

    def log(self, means: dict[str, float]) -> None:
        """Record and print mean losses."""
        self.record.losses.append({"step": self.step} | means)
        print(self.config.stage, self.record.losses[-1], flush=True)

    def write_record(self, folder: Path, scores: dict[str, Any]) -> None:
        """Write the record with the final scores."""
        folder.mkdir(parents=True, exist_ok=True)
        self.record.scores, self.record.seconds = scores, round(self.record.seconds, 1)
        (folder / f"{self.config.stage}.json").write_text(json.dumps(asdict(self.record), indent=1) + "\n")
        print(json.dumps(scores, indent=1))


def seed(value: int) -> None:
    """Seed Python and PyTorch."""
    random.seed(value)
    torch.manual_seed(value)


def mean(values: Iterable[float]) -> float:
    """Rounded mean, NaN if empty."""
    listed = list(values)
    return round(float(np.mean(listed)), 4) if listed else float("nan")
