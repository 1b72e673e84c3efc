"""Scores on data sets that are not used for training.

    python -m training.evaluate --dataset clevrer|nextqa|activitynetqa --root DIR [--split NAME] [--presage "node
    dist/cli/main.js"]
    python -m training.evaluate --dataset tracks --root DIR [--models models] [--scenes 2000]

The first three are published question-answering data sets. The baseline answers with the most common answer of the training
split for the type of question, without any video. With --presage, Presage analyses the videos found below DIR and answers the
questions. These need the standard library only. `tracks` scores the exported forecaster and cause head on held-out simulated
tracks (python -m training.data tracks) and needs numpy and onnxruntime. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from training.evaluate.qa.datasets import LOADERS, SCORED_SPLIT, FormatError, find_videos, load
from training.evaluate.qa.presage import answers_of
from training.evaluate.qa.scores import MostCommonAnswer, score


def evaluate_questions(options: argparse.Namespace) -> dict[str, Any]:
    """Scores of the baseline and, if requested, of Presage on the questions whose video was found."""
    split = load(options.dataset, options.root, options.split or SCORED_SPLIT[options.dataset])
    report: dict[str, Any] = {"dataset": split.dataset, "split": split.name, "questions": len(split.questions)}
    if split.name == "train":
        report["baseline"] = "not scored: it is fitted on the training split"
    else:
        try:
            baseline = MostCommonAnswer(load(options.dataset, options.root, "train").questions)
            report["baseline"] = score(split.questions, {q.id: baseline.answer(q) for q in split.questions})
        except FileNotFoundError as error:
            report["baseline"] = f"not scored: {error}"
    if options.presage:
        videos = find_videos(options.root)
        asked = [question for question in split.questions if question.video in videos]
        with tempfile.TemporaryDirectory() as scratch:
            answers = answers_of(options.presage, asked, videos, options.work or Path(scratch))
        report["presage"] = score(asked, answers) if asked else "not scored: none of the videos was found"
    return report


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=[*LOADERS, "tracks"], required=True)
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--split", help=f"default: {SCORED_SPLIT}")
    parser.add_argument("--presage", help='command that starts Presage, such as "node dist/cli/main.js"')
    parser.add_argument("--work", type=Path, help="folder that keeps the analyses between runs")
    parser.add_argument("--models", type=Path, default=Path("models"), help="tracks: folder of the ONNX files")
    parser.add_argument("--scenes", type=int, default=2000, help="tracks: maximum number of scenes")
    options = parser.parse_args()
    try:
        if options.dataset == "tracks":
            from training.evaluate.tracks import evaluate_tracks  # needs numpy and onnxruntime, unlike the others

            report = evaluate_tracks(options.root, options.models, options.scenes)
        else:
            report = evaluate_questions(options)
    except (FormatError, FileNotFoundError) as error:
        sys.exit(f"evaluate: {error}")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
