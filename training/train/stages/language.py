"""The stages of the fused model. `heal`: the pruned language model, with all its weights, on what the text alone answers. `align`: the
fusion core alone, by the reader and then through the frozen language model. `instruct`: core and LoRA on everything. The core holds
the forecaster (stage `forecast`), frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.convert.smollm.prune import load
from training.data.text.observed import Observed, load_scenes
from training.data.text.prompts import Sample, event_sample, moment_sample
from training.data.text.tree import Speech
from training.data.tracks.examples import Examples, mirror, roughen
from training.evaluate.language_scores import language_scores
from training.models.language.fused import Fused
from training.models.language.fusion import FusionCore, Projection
from training.models.language.llama import Llama
from training.models.language.reading import Reader, reading_losses
from training.train.run import Run
from training.train.stages.forecast import PER_THING, examples_of

READ_BATCH = 40
SPOKEN_AFTER = 0.9
"""Share of `align` after which the losses are those of the language model."""
DRAWS = 3
"""Samples drawn for each that is used: those of a batch are of about one length."""
HELD_SAMPLES = 96
RANK, ALPHA = 64, 128
NOT_ALIGNED = ("ask", "chain", "why")
WEIGHTS = {"next": 2.0, "why": 3.0}


class Aligned(nn.Module):
    """What `align` trains: the core and its reader; the language model is beside it, frozen."""

    def __init__(self, core: FusionCore | Projection):
        super().__init__()
        self.core, self.reader = core, Reader(core.shape.prefix)


def start_core(speech: Speech, base: Path, work: Path, linear: bool) -> FusionCore | Projection:
    core = Projection() if linear else FusionCore()
    core.foresight.forecaster.load_state_dict(part_of(work / "forecast.pt", ""))
    names = [speech.encode(str(slot + 1))[0] for slot in range(9)]
    if isinstance(core, FusionCore):
        core.start_from(load(base / "base.pt").embeddings.weight[names])
    return core


def language_of(base: Path, work: Path) -> Llama:
    """The pruned model after `heal`, if that has been."""
    language = load(base / "base.pt")
    if (work / "heal.pt").exists():
        language.load_state_dict(part_of(work / "heal.pt", "language."))
    return language


def part_of(path: Path, prefix: str) -> dict[str, Tensor]:
    module = torch.load(path, weights_only=True)["module"]
    return {name.removeprefix(prefix): value for name, value in module.items() if name.startswith(prefix)}


def module_for(stage: str, base: Path, work: Path, linear: bool) -> nn.Module:
    """What the stage trains, after the stages before it that left their weights in `work`."""
    if stage == "heal":
        return Fused(load(base / "base.pt"), None)
    core = start_core(Speech(base / "tokenizer.json"), base, work, linear)
    if stage == "align":
        return Aligned(core)
    core.load_state_dict(part_of(work / "align.pt", "core."))
    language = language_of(base, work)
    language.add_lora(RANK, ALPHA)
    return Fused(language, core)


def draw(
    scenes: list[Observed], speech: Speech, rng: np.random.Generator, sighted: bool = True, causes: bool = True
) -> Sample | None:
    observed = scenes[rng.integers(len(scenes))]
    if rng.random() < 0.45:
        return moment_sample(observed, int(rng.integers(2)), speech, rng, sighted)
    return event_sample(observed, speech, rng, sighted, causes)


def draw_batch(
    scenes: list[Observed], speech: Speech, rng: np.random.Generator, size: int, sighted: bool = True, causes: bool = True
) -> list[Sample]:
    drawn: list[Sample] = []
    while len(drawn) < size * DRAWS:
        sample = draw(scenes, speech, rng, sighted, causes)
        drawn += [sample] if sample else []
    drawn.sort(key=lambda sample: len(sample.tree.tokens))
    start = int(rng.integers(len(drawn) - size + 1))
    return drawn[start : start + size]


def scenes_of(files: list[Path]) -> list[Observed]:
    return [scene for path in files for scene in load_scenes(path)]


def read_losses(module: Aligned, examples: Examples, groups: list[np.ndarray], rng: np.random.Generator) -> dict[str, Tensor]:
    rows = examples.rows(examples.pick(rng, groups, READ_BATCH), PER_THING)
    mirror(rows, torch.from_numpy(rng.random(READ_BATCH) < 0.5))
    roughen(rows, rng)
    return reading_losses(module.core, module.reader, rows)


class Alignment:
    """The two losses of `align`; the language model is read when it is first asked."""

    def __init__(self, run: Run, module: Aligned, train: list[Path], base: Path):
        self.run, self.module, self.files, self.base = run, module, train, base
        self.speech, self.examples = Speech(base / "tokenizer.json"), examples_of(train)
        self.groups = self.examples.groups()
        self.fused: Fused | None = None
        self.scenes: list[Observed] = []

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        if self.run.share() < SPOKEN_AFTER:
            return read_losses(self.module, self.examples, self.groups, rng)
        if self.fused is None:
            language = language_of(self.base, self.run.path.parent).requires_grad_(False)
            self.fused, self.scenes = Fused(language, self.module.core), scenes_of(self.files[-4:])
        spoken = self.fused.losses(draw_batch(self.scenes, self.speech, rng, self.run.config.batch), self.speech.digits)
        return {f"spoken {task}": loss for task, loss in spoken.items() if task not in NOT_ALIGNED}


def train_align(run: Run, module: Aligned, train: list[Path], held: list[Path], base: Path) -> dict:
    alignment, checked = Alignment(run, module, train, base), examples_of(held[:2])
    run.train(alignment.losses)
    torch.manual_seed(1)
    groups, rng = checked.groups(), np.random.default_rng(2)
    with torch.no_grad():
        looks = [read_losses(module, checked, groups, rng) for _ in range(10)]
    return {name: round(float(np.mean([look[name] for look in looks])), 4) for name in looks[0]}


def train_language(
    run: Run, module: Fused, train: list[Path], held: list[Path], base: Path, sighted: bool, causes: bool = True
) -> dict:
    speech, scenes = Speech(base / "tokenizer.json"), scenes_of(train)
    checked = held_samples(scenes_of(held[:2]), speech, HELD_SAMPLES, sighted)

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        found = module.losses(draw_batch(scenes, speech, rng, run.config.batch, sighted, causes), speech.digits, sighted)
        return {task: loss * WEIGHTS.get(task, 1.0) for task, loss in found.items()}

    @torch.no_grad()
    def held_loss() -> float:
        torch.manual_seed(1)
        parts = [module.losses(checked[at : at + 8], speech.digits, sighted) for at in range(0, len(checked), 8)]
        tasks = {task for part in parts for task in part}
        return sum(WEIGHTS.get(t, 1.0) * float(np.mean([part[t] for part in parts if t in part])) for t in tasks)

    run.train(losses, held_loss)
    module.eval()
    torch.manual_seed(1)
    return language_scores(module, held_samples(scenes_of(held[2:4] or held), speech, 3 * HELD_SAMPLES, sighted), speech, sighted)


def train_heal(run: Run, module: Fused, train: list[Path], held: list[Path], base: Path) -> dict:
    return train_language(run, module, train, held, base, sighted=False)


def train_instruct(run: Run, module: Fused, train: list[Path], held: list[Path], base: Path, causes: bool = True) -> dict:
    """Not `causes`: the ablation that learns from no re-run without an object."""
    return train_language(run, module, train, held, base, sighted=True, causes=causes)


def held_samples(scenes: list[Observed], speech: Speech, count: int, sighted: bool) -> list[Sample]:
    """The same samples every time, of about one length side by side."""
    rng, found = np.random.default_rng(9), []
    while len(found) < count:
        sample = draw(scenes, speech, rng, sighted)
        found += [sample] if sample else []
    return sorted(found, key=lambda sample: len(sample.tree.tokens))
