"""Train one stage on cached scenes (python -m training.data.pixels.features) or token scenes (training.data tokens); resumes where it was stopped.

python -m training.train --stage masks  --train CACHE/train --held CACHE/held --work WORK
python -m training.train --stage tokens ...        # needs the masks stage in WORK
python -m training.train --stage clip ...
python -m training.train --stage forecast|causes --train TOKENS/train --held TOKENS/val --test TOKENS/test --work WORK
python -m training.train --stage heal|align|instruct --train TOKENS/train --held TOKENS/val --base BASE --work WORK
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from training.data.pixels.features import data_hash, load_keyframes, scene_files
from training.data.pixels.samples import View
from training.data.tracks.examples import shard_files, shards_hash
from training.models.object_heads import ObjectHeads
from training.models.scene_encoder import ClipEncoder
from training.paths import RUNS
from training.train.run import Config, Run
from training.train.stages.clips import Scenes, clip_losses, clip_scores, standardise
from training.train.stages.language import module_for, train_align, train_heal, train_instruct
from training.train.stages.masks import mask_losses, mask_scores
from training.train.stages.tokens import BOX_JITTER, COPIES, by_scene, look, token_losses, token_scores
from training.train.track_stages import TOKEN_STAGES, train_on_tokens

CONFIGS = {
    "masks": Config("masks", steps=1000, batch=6, rate=2e-3),
    "tokens": Config("tokens", steps=700, batch=8, rate=1e-3, weight_decay=0.05),
    "clip": Config("clip", steps=450, batch=12, rate=8e-4, weight_decay=0.05),
    "forecast": Config("forecast", steps=12000, batch=64, rate=1.5e-3, weight_decay=0.03, warm_up=50, held_every=400),
    "causes": Config("causes", steps=6000, batch=64, rate=1.5e-3, weight_decay=0.03, warm_up=50, held_every=300),
    "heal": Config("heal", steps=20000, batch=8, rate=4e-4, warm_up=40, held_every=300, seconds=1100),
    "align": Config("align", steps=20000, batch=8, rate=1.5e-3, warm_up=50, seconds=540),
    "instruct": Config("instruct", steps=20000, batch=8, rate=8e-4, warm_up=40, held_every=300, seconds=2700),
}
LANGUAGE_STAGES = {"heal": train_heal, "align": train_align, "instruct": train_instruct}


def described(train: list[Path], held: list[Path], hash_of: Callable[[list[Path]], str] = data_hash) -> dict:
    return {"train": len(train), "train_sha256": hash_of(train), "held": len(held), "held_sha256": hash_of(held)}


def views_of(files: list[Path]) -> list[View]:
    return [View(frame) for path in files for frame in load_keyframes(path)]


def train_masks(run: Run, heads: ObjectHeads, train: list[Path], held: list[Path]) -> dict:
    views = views_of(train)
    heads.train()
    run.train(lambda rng: mask_losses(heads, views, rng, run.config.batch))
    return mask_scores(heads, views_of(held))


def train_tokens(run: Run, heads: ObjectHeads, train: list[Path], held: list[Path]) -> dict:
    scenes = by_scene(look(heads, views_of(train), COPIES, BOX_JITTER))
    heads.tokens.train()
    run.train(lambda rng: token_losses(heads, scenes, rng, run.config.batch))
    return token_scores(heads, views_of(held))


def train_clip(run: Run, encoder: ClipEncoder, train: list[Path], held: list[Path]) -> dict:
    scenes = Scenes(train)
    standardise(encoder, scenes)
    encoder.train()
    run.train(lambda rng: clip_losses(encoder, scenes, rng, run.config.batch))
    return clip_scores(encoder, Scenes(held))


def heads_for(stage: str, work: Path) -> ObjectHeads | ClipEncoder:
    """The module to train: fresh, or for tokens the trained mask head with everything but the projector frozen."""
    if stage == "clip":
        return ClipEncoder()
    heads = ObjectHeads()
    if stage == "tokens":
        heads.load_state_dict(torch.load(work / "masks.pt", weights_only=True)["module"])
        heads.requires_grad_(False)
        heads.tokens.requires_grad_(True)
    return heads


def configured(options: argparse.Namespace) -> Config:
    """The stage's configuration with what the command line changes in it."""
    changes = {name: value for name in ("steps", "rate", "seconds") if (value := getattr(options, name))}
    if options.start:
        before = torch.load(options.start, weights_only=True)
        changes["start"] = f"{before['step']} steps on data {before['data']['train_sha256'][:16]}"
    return replace(CONFIGS[options.stage], **changes)


TRAINERS = {"masks": train_masks, "tokens": train_tokens, "clip": train_clip}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=list(CONFIGS), required=True)
    parser.add_argument("--train", type=Path, required=True, help="folder of cached scenes")
    parser.add_argument("--held", type=Path, required=True, help="folder of cached scenes that are only scored")
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--steps", type=int, help="fewer or more steps than the default")
    parser.add_argument("--rate", type=float, help="another peak learning rate than the default")
    parser.add_argument("--start", type=Path, help="a checkpoint of the same stage whose weights to begin with")
    parser.add_argument("--limit", type=int, help="only the first scenes (or shards of token scenes)")
    parser.add_argument("--seconds", type=float, help="end after so much training time")
    parser.add_argument("--base", type=Path, help="heal, align, instruct: folder of training.convert.smollm.prune")
    parser.add_argument(
        "--linear", action="store_true", help="heal, align, instruct: a linear projection in place of the fusion core"
    )
    parser.add_argument("--without-causes", action="store_true", help="instruct: not from what re-runs without an object showed")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of the run's record")
    parser.add_argument("--threads", type=int, default=1, help="heal, align, instruct: threads of PyTorch")
    parser.add_argument("--test", type=Path, help="forecast, causes: folder of token scenes that only the scores see")
    options = parser.parse_args()
    config = configured(options)
    torch.manual_seed(config.seed)
    if config.stage in TOKEN_STAGES:
        train, held = shard_files(options.train, options.limit), shard_files(options.held)
        module, data = TOKEN_STAGES[config.stage].module(), described(train, held, shards_hash)
    elif config.stage in LANGUAGE_STAGES:
        train, held = shard_files(options.train, options.limit), shard_files(options.held)
        module = module_for(config.stage, options.base, options.work, options.linear)
        data = described(train, held, shards_hash)
    else:
        train, held = scene_files(options.train, options.limit), scene_files(options.held)
        module, data = heads_for(config.stage, options.work), described(train, held)
    if options.start:
        module.load_state_dict(torch.load(options.start, weights_only=True)["module"])
    run = Run(config, module, options.work, data)
    if config.stage in TOKEN_STAGES:
        scores = train_on_tokens(run, module, train, held, shard_files(options.test) if options.test else held)
    elif config.stage in LANGUAGE_STAGES:
        torch.set_num_threads(options.threads)
        told = {"causes": False} if options.without_causes else {}
        scores = LANGUAGE_STAGES[config.stage](run, module, train, held, options.base, **told)
    else:
        scores = TRAINERS[config.stage](run, module, train, held)
    run.write_record(options.runs, scores)


if __name__ == "__main__":
    main()
