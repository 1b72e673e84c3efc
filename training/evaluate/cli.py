"""Scores on datasets that are not part of the training.

    python -m training.evaluate --dataset clevrer|nextqa|activitynetqa --root DIR [--split NAME] [--presage "node dist/cli/main.js"]
    python -m training.evaluate --dataset tokens --root DIR [--models models] [--scenes 2000]

The first three are question-answering datasets as they are published: the baseline answers what was commonest in the training
split, by type of question, without any video; with --presage, Presage analyses the videos found below DIR and is asked. They need
the standard library only. `tokens` scores the exported forecaster and cause head on held-out simulated tracks (python -m
training.data tokens) and needs numpy and onnxruntime. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from training.evaluate.qa.datasets import LOADERS, SCORED_SPLIT, FormatError, find_videos, load
from training.evaluate.qa.presage import answers_of
from training.evaluate.qa.scores import CommonestAnswer, score


def evaluate_questions(options: argparse.Namespace) -> dict:
    """Scores of the baseline and, where asked for, of Presage on the questions whose video is there."""
    split = load(options.dataset, options.root, options.split or SCORED_SPLIT[options.dataset])
    report: dict = {"dataset": split.dataset, "split": split.name, "questions": len(split.questions)}
    if split.name == "train":
        report["baseline"] = "not scored: it learns from the training split"
    else:
        try:
            baseline = CommonestAnswer(load(options.dataset, options.root, "train").questions)
            report["baseline"] = score(split.questions, {q.id: baseline.answer(q) for q in split.questions})
        except FileNotFoundError as error:
            report["baseline"] = f"not scored: {error}"
    if options.presage:
        videos = find_videos(options.root)
        asked = [question for question in split.questions if question.video in videos]
        with tempfile.TemporaryDirectory() as scratch:
            answers = answers_of(options.presage, asked, videos, options.work or Path(scratch))
        report["presage"] = score(asked, answers) if asked else "not scored: none of the videos is there"
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=[*LOADERS, "tokens"], required=True)
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--split", help=f"default: {SCORED_SPLIT}")
    parser.add_argument("--presage", help='how to start Presage, such as "node dist/cli/main.js"')
    parser.add_argument("--work", type=Path, help="folder that keeps Presage's analyses from run to run")
    parser.add_argument("--models", type=Path, default=Path("models"), help="tokens: folder of the ONNX files")
    parser.add_argument("--scenes", type=int, default=2000, help="tokens: most scenes")
    options = parser.parse_args()
    try:
        if options.dataset == "tokens":
            from training.evaluate.tracks import evaluate_tokens  # needs numpy and onnxruntime, the others do not

            report = evaluate_tokens(options.root, options.models, options.scenes)
        else:
            report = evaluate_questions(options)
    except (FormatError, FileNotFoundError) as error:
        sys.exit(f"evaluate: {error}")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
