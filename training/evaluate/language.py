"""Scores of the fused model, or of an ablation, on unseen track scenes.

python -m training.evaluate.language --base BASE --work WORK --test TRACKS/test [--stage align] [--without-prefix]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from training.data.text.tree import TextEncoder
from training.data.tracks.examples import shard_files
from training.evaluate.language_scores import language_scores
from training.models.language.checkpoints import trained
from training.train.stages.language import held_samples, scenes_of


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--stage", choices=["none", "align", "instruct"], default="instruct")
    parser.add_argument("--linear", action="store_true", help="use the linear projection in place of the fusion core")
    parser.add_argument("--without-prefix", action="store_true", help="score the text without the visual prefix")
    parser.add_argument("--samples", type=int, default=200)
    options = parser.parse_args()
    torch.manual_seed(1)
    encoder = TextEncoder(options.base / "tokenizer.json")
    fused = trained(options.base, options.work, options.stage, options.linear)
    samples = held_samples(scenes_of(shard_files(options.test, 1)), encoder, options.samples, with_prefix=True)
    print(json.dumps(language_scores(fused, samples, encoder, not options.without_prefix), indent=1))


if __name__ == "__main__":
    main()
