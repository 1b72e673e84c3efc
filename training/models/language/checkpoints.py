"""Loads the language model and the fusion core from the checkpoints of the training stages."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from training.convert.smollm.prune import load
from training.models.language.fused import Fused
from training.models.language.fusion import FusionCore, Projection
from training.models.language.llama import Llama

RANK, ALPHA = 64, 128
"""LoRA of the stage `instruct`."""


def part_of(path: Path, prefix: str) -> dict[str, Tensor]:
    """Weights in a checkpoint whose names begin with `prefix`, without it."""
    module = torch.load(path, weights_only=True)["module"]
    return {name.removeprefix(prefix): value for name, value in module.items() if name.startswith(prefix)}


def language_of(base: Path, work: Path) -> Llama:
    """The pruned model, after `heal` if its checkpoint exists."""
    language = load(base / "base.pt")
    if (work / "heal.pt").exists():
        language.load_state_dict(part_of(work / "heal.pt", "language."))
    return language


def trained(base: Path, work: Path, stage: str, linear: bool) -> Fused:
    """Core and language model after a stage (`none`: before training), with LoRA merged."""
    fused = Fused(load(base / "base.pt"), Projection() if linear else FusionCore())
    fused.visual.foresight.forecaster.load_state_dict(part_of(work / "forecast.pt", ""))
    if stage == "align":
        fused.visual.load_state_dict(part_of(work / "align.pt", "core."))
        fused.language = language_of(base, work)
    elif stage == "instruct":
        fused.language.add_lora(RANK, ALPHA)
        fused.load_state_dict(torch.load(work / "instruct.pt", weights_only=True)["module"])
    fused.language.merge()
    return fused.eval()
