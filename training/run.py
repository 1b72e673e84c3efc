"""One training run: seed, schedule, checkpoints that a later start resumes from, and a JSON record of what happened."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

CHECKPOINT_EVERY_S = 60
LOG_EVERY = 50


@dataclass(frozen=True)
class Config:
    """What decides a run's result, besides the data."""

    stage: str
    steps: int
    batch: int
    rate: float
    weight_decay: float = 0.02
    warm_up: int = 50
    seed: int = 7
    start: str = ""
    """What the weights were trained on before, if they did not start at random."""


@dataclass
class Record:
    """The run's JSON, written to training/runs."""

    config: dict
    data: dict
    losses: list[dict] = field(default_factory=list)
    scores: dict = field(default_factory=dict)
    seconds: float = 0.0


class Run:
    """Steps a module through `loss_of(step)`; the state is saved every minute and restored if the file is there."""

    def __init__(self, config: Config, module: nn.Module, folder: Path, data: dict):
        torch.set_num_threads(1)
        self.config, self.module, self.path = config, module, folder / f"{config.stage}.pt"
        self.record = Record(asdict(config), data)
        weights = [p for p in module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(weights, config.rate, weight_decay=config.weight_decay)
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self.restore()

    def restore(self) -> None:
        state = torch.load(self.path, weights_only=True)
        if state["config"] != self.record.config or state["data"] != self.record.data:
            raise SystemExit(f"{self.path} is of another run (config or data differ): remove it, or name another --work")
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.record.losses, self.record.seconds = state["step"], state["losses"], state["seconds"]
        print(f"resuming {self.config.stage} at step {self.step}")

    def save(self) -> None:
        state = {"module": self.module.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        state |= {"config": self.record.config, "data": self.record.data}
        state |= {"losses": self.record.losses, "seconds": self.record.seconds}
        partial = self.path.with_suffix(".part")
        torch.save(state, partial)
        partial.rename(self.path)

    def rate(self) -> float:
        """Linear warm-up, then a cosine to 2 % of the peak."""
        warm = min(1.0, (self.step + 1) / self.config.warm_up)
        share = self.step / self.config.steps
        return self.config.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))

    def train(self, loss_of: Callable[[np.random.Generator], dict[str, torch.Tensor]]) -> None:
        """Each step is seeded by its number alone, so a resumed run sees what an unbroken one would have seen."""
        saved = started = time.monotonic()
        sums: dict[str, float] = {}
        while self.step < self.config.steps:
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
            now = time.monotonic()
            if now - saved > CHECKPOINT_EVERY_S:
                self.record.seconds += now - started
                saved = started = now
                self.save()
        self.record.seconds += time.monotonic() - started
        self.save()

    def log(self, means: dict[str, float]) -> None:
        self.record.losses.append({"step": self.step} | means)
        print(self.config.stage, self.record.losses[-1], flush=True)

    def write_record(self, folder: Path, scores: dict) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.record.scores, self.record.seconds = scores, round(self.record.seconds, 1)
        (folder / f"{self.config.stage}.json").write_text(json.dumps(asdict(self.record), indent=1) + "\n")
        print(json.dumps(scores, indent=1))


def seed(value: int) -> None:
    random.seed(value)
    torch.manual_seed(value)


def mean(values: Iterable[float]) -> float:
    listed = list(values)
    return round(float(np.mean(listed)), 4) if listed else float("nan")
