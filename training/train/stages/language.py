"""Stages of the fused model.

`heal` trains the pruned language model, all weights, on questions that the text alone answers. `align` trains the fusion core,
by the reader and then through the frozen language model. `instruct` trains core and LoRA on all tasks. The core contains the
frozen forecaster (stage `forecast`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.convert.smollm.prune import load
from training.data.text.observed import Observed, load_scenes
from training.data.text.prompts import Sample, event_sample, moment_sample
from training.data.text.tree import TextEncoder
from training.data.tracks.examples import Examples, mirror, roughen
from training.evaluate.language_scores import language_scores
from training.models.language.checkpoints import ALPHA, RANK, language_of, part_of
from training.models.language.fused import Fused
from training.models.language.fusion import FusionCore, Projection
from training.models.language.reading import Reader, reading_losses
from training.train.run import Run
from training.train.stages.forecast import PER_THING, examples_of

READ_BATCH = 40
ANSWERS_AFTER = 0.9
"""Share of `align` after which the losses are those of the language model instead of the reader."""
DRAWS = 3
"""Samples drawn per sample used, so that the samples of a batch have about the same length."""
HELD_SAMPLES = 96
NOT_ALIGNED = ("ask", "chain", "why")
WEIGHTS = {"next": 2.0, "why": 3.0}


class Aligned(nn.Module):
    """Modules that `align` trains: the core and its reader. The frozen language model is not part of it."""

    def __init__(self, core: FusionCore | Projection):
        super().__init__()
        self.core, self.reader = core, Reader(core.shape.prefix)


def start_core(encoder: TextEncoder, base: Path, work: Path, linear: bool) -> FusionCore | Projection:
    """New core with the trained forecaster."""
    core = Projection() if linear else FusionCore()
    core.foresight.forecaster.load_state_dict(part_of(work / "forecast.pt", ""))
    names = [encoder.encode(str(slot + 1))[0] for slot in range(9)]
    if isinstance(core, FusionCore):
        core.start_from(load(base / "base.pt").embeddings.weight[names])
    return core


def module_for(stage: str, base: Path, work: Path, linear: bool) -> nn.Module:
    """Module that the stage trains, with the weights that earlier stages left in `work`."""
    if stage == "heal":
        return Fused(load(base / "base.pt"), None)
    core = start_core(TextEncoder(base / "tokenizer.json"), base, work, linear)
    if stage == "align":
        return Aligned(core)
    core.load_state_dict(part_of(work / "align.pt", "core."))
    language = language_of(base, work)
    language.add_lora(RANK, ALPHA)
    return Fused(language, core)


def draw(
    scenes: list[Observed], encoder: TextEncoder, rng: np.random.Generator, with_prefix: bool = True, causes: bool = True
) -> Sample | None:
    """Random sample of a random scene, or None when the scene gives none."""
    observed = scenes[rng.integers(len(scenes))]
    if rng.random() < 0.45:
        return moment_sample(observed, int(rng.integers(2)), encoder, rng, with_prefix)
    return event_sample(observed, encoder, rng, with_prefix, causes)


def draw_batch(
    scenes: list[Observed],
    encoder: TextEncoder,
    rng: np.random.Generator,
    size: int,
    with_prefix: bool = True,
    causes: bool = True,
) -> list[Sample]:
    """Samples of similar length."""
    drawn: list[Sample] = []
    while len(drawn) < size * DRAWS:
        sample = draw(scenes, encoder, rng, with_prefix, causes)
        drawn += [sample] if sample else []
    drawn.sort(key=lambda sample: len(sample.tree.tokens))
    start = int(rng.integers(len(drawn) - size + 1))
    return drawn[start : start + size]


def scenes_of(files: list[Path]) -> list[Observed]:
    """Scenes of shards."""
    return [scene for path in files for scene in load_scenes(path)]


def read_losses(module: Aligned, examples: Examples, groups: list[np.ndarray], rng: np.random.Generator) -> dict[str, Tensor]:
    """Losses of the reader on a random batch."""
    rows = examples.rows(examples.pick(rng, groups, READ_BATCH), PER_THING)
    mirror(rows, torch.from_numpy(rng.random(READ_BATCH) < 0.5))
    roughen(rows, rng)
    return reading_losses(module.core, module.reader, rows)


class Alignment:
    """The two losses of `align`; the language model is loaded when it is first needed."""

    def __init__(self, run: Run, module: Aligned, train: list[Path], base: Path):
        self.run, self.module, self.files, self.base = run, module, train, base
        self.encoder, self.examples = TextEncoder(base / "tokenizer.json"), examples_of(train)
        self.groups = self.examples.groups()
        self.fused: Fused | None = None
        self.scenes: list[Observed] = []

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Losses of the reader, or of the language model near the end of the run."""
        if self.run.share() < ANSWERS_AFTER:
            return read_losses(self.module, self.examples, self.groups, rng)
        if self.fused is None:
            language = language_of(self.base, self.run.path.parent).requires_grad_(False)
            self.fused, self.scenes = Fused(language, self.module.core), scenes_of(self.files[-4:])
        answers = self.fused.losses(draw_batch(self.scenes, self.encoder, rng, self.run.config.batch), self.encoder.digits)
        return {f"spoken {task}": loss for task, loss in answers.items() if task not in NOT_ALIGNED}


def train_align(run: Run, module: Aligned, train: list[Path], held: list[Path], base: Path) -> dict[str, Any]:
    """Train `align`; return the losses of the reader on held-out scenes."""
    alignment, checked = Alignment(run, module, train, base), examples_of(held[:2])
    run.train(alignment.losses)
    torch.manual_seed(1)
    groups, rng = checked.groups(), np.random.default_rng(2)
    with torch.no_grad():
        rounds = [read_losses(module, checked, groups, rng) for _ in range(10)]
    return {name: round(float(np.mean([losses[name] for losses in rounds])), 4) for name in rounds[0]}


def train_language(
    run: Run, module: Fused, train: list[Path], held: list[Path], base: Path, with_prefix: bool, causes: bool = True
) -> dict[str, Any]:
    """Train core and language model; return scores on held-out scenes."""
    encoder, scenes = TextEncoder(base / "tokenizer.json"), scenes_of(train)
    checked = held_samples(scenes_of(held[:2]), encoder, HELD_SAMPLES, with_prefix)

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        found = module.losses(
            draw_batch(scenes, encoder, rng, run.config.batch, with_prefix, causes), encoder.digits, with_prefix
        )
        return {task: loss * WEIGHTS.get(task, 1.0) for task, loss in found.items()}

    @torch.no_grad()
    def held_loss() -> float:
        torch.manual_seed(1)
        chunks = [module.losses(checked[at : at + 8], encoder.digits, with_prefix) for at in range(0, len(checked), 8)]
        tasks = dict.fromkeys(task for chunk in chunks for task in chunk)
        return sum(WEIGHTS.get(t, 1.0) * float(np.mean([chunk[t] for chunk in chunks if t in chunk])) for t in tasks)

    run.train(losses, held_loss)
    module.eval()
    torch.manual_seed(1)
    return language_scores(
        module, held_samples(scenes_of(held[2:4] or held), encoder, 3 * HELD_SAMPLES, with_prefix), encoder, with_prefix
    )


def train_heal(run: Run, module: Fused, train: list[Path], held: list[Path], base: Path) -> dict[str, Any]:
    """Train `heal`."""
    return train_language(run, module, train, held, base, with_prefix=False)


def train_instruct(
    run: Run, module: Fused, train: list[Path], held: list[Path], base: Path, causes: bool = True
) -> dict[str, Any]:
    """Train `instruct`; without `causes`, the ablation without counterfactual data."""
    return train_language(run, module, train, held, base, with_prefix=True, causes=causes)


def held_samples(scenes: list[Observed], encoder: TextEncoder, count: int, with_prefix: bool) -> list[Sample]:
    """The same samples on every call, ordered by length."""
    rng = np.random.default_rng(9)
    found: list[Sample] = []
    while len(found) < count:
        sample = draw(scenes, encoder, rng, with_prefix)
        found += [sample] if sample else []
    return sorted(found, key=lambda sample: len(sample.tree.tokens))
