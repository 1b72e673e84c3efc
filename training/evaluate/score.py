"""Scores a trained stage on held-out scenes again.

    python -m training.evaluate.score --stage masks --held CACHE/held --work WORK
    python -m training.evaluate.score --stage forecast|causes --held TRACKS/test --work WORK [--calibrate TRACKS/val] [--record]

`--calibrate` fits shift and scale on other held-out scenes and stores them in the checkpoint; `--record` writes the scores to
the record of the run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from training.data.pixels.features import scene_files
from training.data.pixels.samples import views_of
from training.data.tracks.examples import shard_files, shards_hash
from training.models.object_heads import ObjectHeads
from training.models.scene_encoder import SceneEncoder
from training.paths import RUNS
from training.train.configurations import CONFIGS
from training.train.stages.embeddings import embedding_scores
from training.train.stages.masks import mask_scores
from training.train.stages.scene import Scenes, scene_scores
from training.train.stages.tracks import TRACK_STAGES


def score_on_tracks(options: argparse.Namespace) -> dict[str, Any]:
    """Scores of a stage on track scenes, optionally calibrated and recorded."""
    stage, path = TRACK_STAGES[options.stage], options.work / f"{options.stage}.pt"
    state, module, scores = torch.load(path, weights_only=True), stage.module(), {}
    module.load_state_dict(state["module"])
    if options.calibrate:
        held = stage.read(shard_files(options.calibrate))
        stage.calibrate(module, held)
        torch.save(state | {"module": module.state_dict()}, path)
        scores["held"] = stage.scores(module, held)
    scores["test"] = stage.scores(module, stage.read(shard_files(options.held)))
    if options.record:
        used = {"test_sha256": shards_hash(shard_files(options.held))}
        if options.calibrate:
            used["calibrated_sha256"] = shards_hash(shard_files(options.calibrate))
        record = {"config": state["config"], "data": state["data"] | used, "losses": state["losses"], "scores": scores}
        text = json.dumps(record | {"seconds": round(state["seconds"], 1)}, indent=1)
        (RUNS / f"{options.stage}.json").write_text(text + "\n")
    return scores


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=list(CONFIGS), required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--calibrate", type=Path, help="forecast, causes: fit shift and scale on these track scenes")
    parser.add_argument("--record", action="store_true", help="forecast, causes: write the scores to training/train/runs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.stage in TRACK_STAGES:
        print(json.dumps(score_on_tracks(options), indent=1))
        return
    module = SceneEncoder() if options.stage == "clip" else ObjectHeads()
    module.load_state_dict(torch.load(options.work / f"{options.stage}.pt", weights_only=True)["module"])
    files = scene_files(options.held)
    if options.stage == "clip":
        scores = scene_scores(module, Scenes(files))
    else:
        scores = {"masks": mask_scores, "embeddings": embedding_scores}[options.stage](module, views_of(files))
    print(json.dumps(scores, indent=1))


if __name__ == "__main__":
    main()
