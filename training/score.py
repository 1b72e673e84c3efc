"""Score a trained stage again on held-out scenes, without training.

    python -m training.score --stage masks --held CACHE/held --work WORK
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .dataset import scene_files
from .heads.clip import ClipEncoder
from .heads.objects import ObjectHeads
from .stages.clips import Scenes, clip_scores
from .stages.masks import mask_scores
from .stages.tokens import token_scores
from .train import CONFIGS, views_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=list(CONFIGS), required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    module = ClipEncoder() if options.stage == "clip" else ObjectHeads()
    module.load_state_dict(torch.load(options.work / f"{options.stage}.pt", weights_only=True)["module"])
    files = scene_files(options.held)
    if options.stage == "clip":
        scores = clip_scores(module, Scenes(files))
    else:
        scores = {"masks": mask_scores, "tokens": token_scores}[options.stage](module, views_of(files))
    print(json.dumps(scores, indent=1))


if __name__ == "__main__":
    main()
