"""Trains one stage on cached scenes or track scenes; an interrupted run resumes.

python -m training.train --stage masks --train CACHE/train --held CACHE/held --work WORK
python -m training.train --stage embeddings ...    # needs the checkpoint of `masks` in WORK
python -m training.train --stage clip ...
python -m training.train --stage forecast|causes --train TRACKS/train --held TRACKS/val --test TRACKS/test --work WORK
python -m training.train --stage heal|align|instruct --train TRACKS/train --held TRACKS/val --base BASE --work WORK
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from training.data.pixels.features import data_hash, scene_files
from training.data.pixels.samples import views_of
from training.data.tracks.examples import shard_files, shards_hash
from training.models.object_heads import ObjectHeads
from training.models.scene_encoder import SceneEncoder
from training.paths import RUNS
from training.train.configurations import CONFIGS
from training.train.run import Config, Run
from training.train.stages.embeddings import BOX_JITTER, COPIES, by_scene, embedding_losses, embedding_scores, observe
from training.train.stages.language import module_for, train_align, train_heal, train_instruct
from training.train.stages.masks import mask_losses, mask_scores
from training.train.stages.scene import Scenes, scene_losses, scene_scores, standardise
from training.train.stages.tracks import TRACK_STAGES, train_on_tracks

LANGUAGE_STAGES: dict[str, Callable[..., dict[str, Any]]] = {"heal": train_heal, "align": train_align, "instruct": train_instruct}


def described(train: list[Path], held: list[Path], hash_of: Callable[[list[Path]], str] = data_hash) -> dict[str, Any]:
    """Numbers and hashes of the data, for the record."""
    return {"train": len(train), "train_sha256": hash_of(train), "held": len(held), "held_sha256": hash_of(held)}


def train_masks(run: Run, heads: ObjectHeads, train: list[Path], held: list[Path]) -> dict[str, Any]:
    """Train the mask head; return held-out scores."""
    views = views_of(train)
    heads.train()
    run.train(lambda rng: mask_losses(heads, views, rng, run.config.batch))
    return mask_scores(heads, views_of(held))


def train_embeddings(run: Run, heads: ObjectHeads, train: list[Path], held: list[Path]) -> dict[str, Any]:
    """Train the appearance embedding; return held-out scores."""
    scenes = by_scene(observe(heads, views_of(train), COPIES, BOX_JITTER))
    heads.embeddings.train()
    run.train(lambda rng: embedding_losses(heads, scenes, rng, run.config.batch))
    return embedding_scores(heads, views_of(held))


def train_scene(run: Run, encoder: SceneEncoder, train: list[Path], held: list[Path]) -> dict[str, Any]:
    """Train the scene encoder; return held-out scores."""
    scenes = Scenes(train)
    standardise(encoder, scenes)
    encoder.train()
    run.train(lambda rng: scene_losses(encoder, scenes, rng, run.config.batch))
    return scene_scores(encoder, Scenes(held))


def module_of(stage: str, work: Path) -> ObjectHeads | SceneEncoder:
    """Module to train: new, or for `embeddings` the trained mask head with all but the projector frozen."""
    if stage == "clip":
        return SceneEncoder()
    heads = ObjectHeads()
    if stage == "embeddings":
        heads.load_state_dict(torch.load(work / "masks.pt", weights_only=True)["module"])
        heads.requires_grad_(False)
        heads.embeddings.requires_grad_(True)
    return heads


def configured(options: argparse.Namespace) -> Config:
    """Configuration of the stage with the changes of the command line."""
    changes = {name: value for name in ("steps", "rate", "seconds") if (value := getattr(options, name))}
    if options.start:
        before = torch.load(options.start, weights_only=True)
        changes["start"] = f"{before['step']} steps on data {before['data']['train_sha256'][:16]}"
    return replace(CONFIGS[options.stage], **changes)


TRAINERS: dict[str, Callable[..., dict[str, Any]]] = {"masks": train_masks, "embeddings": train_embeddings, "clip": train_scene}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=list(CONFIGS), required=True)
    parser.add_argument("--train", type=Path, required=True, help="folder of cached scenes")
    parser.add_argument("--held", type=Path, required=True, help="folder of held-out cached scenes")
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--steps", type=int, help="number of steps, in place of the default")
    parser.add_argument("--rate", type=float, help="peak learning rate, in place of the default")
    parser.add_argument("--start", type=Path, help="checkpoint of the same stage with the initial weights")
    parser.add_argument("--limit", type=int, help="use only the first scenes (or shards)")
    parser.add_argument("--seconds", type=float, help="maximum training time")
    parser.add_argument("--base", type=Path, help="heal, align, instruct: folder of training.convert.smollm.prune")
    parser.add_argument(
        "--linear", action="store_true", help="heal, align, instruct: use a linear projection in place of the fusion core"
    )
    parser.add_argument("--without-causes", action="store_true", help="instruct: do not train on counterfactual results")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of the run's record")
    parser.add_argument("--threads", type=int, default=1, help="heal, align, instruct: threads of PyTorch")
    parser.add_argument("--test", type=Path, help="forecast, causes: folder of track scenes for the final scores")
    options = parser.parse_args()
    config = configured(options)
    torch.manual_seed(config.seed)
    if config.stage in TRACK_STAGES:
        train, held = shard_files(options.train, options.limit), shard_files(options.held)
        module, data = TRACK_STAGES[config.stage].module(), described(train, held, shards_hash)
    elif config.stage in LANGUAGE_STAGES:
        train, held = shard_files(options.train, options.limit), shard_files(options.held)
        module = module_for(config.stage, options.base, options.work, options.linear)
        data = described(train, held, shards_hash)
    else:
        train, held = scene_files(options.train, options.limit), scene_files(options.held)
        module, data = module_of(config.stage, options.work), described(train, held)
    if options.start:
        module.load_state_dict(torch.load(options.start, weights_only=True)["module"])
    run = Run(config, module, options.work, data)
    if config.stage in TRACK_STAGES:
        scores = train_on_tracks(run, module, train, held, shard_files(options.test) if options.test else held)
    elif config.stage in LANGUAGE_STAGES:
        torch.set_num_threads(options.threads)
        extra = {"causes": False} if options.without_causes else {}
        scores = LANGUAGE_STAGES[config.stage](run, module, train, held, options.base, **extra)
    else:
        scores = TRAINERS[config.stage](run, module, train, held)
    run.write_record(options.runs, scores)


if __name__ == "__main__":
    main()
