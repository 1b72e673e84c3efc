"""Answers of Presage: it analyses each video once and answers the questions from the analysis."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.evaluate.qa.datasets import Question
from training.evaluate.qa.scores import Answer, normal


def answers_of(command: str, questions: Iterable[Question], videos: dict[str, Path], work: Path) -> dict[str, Answer]:
    """Answers to the questions whose video exists; questions that Presage does not understand have no answer.

    command starts Presage, such as `node dist/cli/main.js`; the analyses are kept in `work`.
    """
    by_video: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if question.video in videos:
            by_video[question.video].append(question)
    work.mkdir(parents=True, exist_ok=True)
    answers: dict[str, Answer] = {}
    for video, asked in by_video.items():
        analysis = work / f"{video}.jsonl"
        if not analysis.exists():
            subprocess.run([*shlex.split(command), "analyze", str(videos[video]), "--out", str(analysis)], check=True)
        for question in asked:
            if (text := ask(command, analysis, question.text)) is not None:
                answers[question.id] = choose(question, text) if question.choices else short(text)
    return answers


def ask(command: str, analysis: Path, question: str) -> str | None:
    """Text of the answer, or None when the question was not understood."""
    run = subprocess.run([*shlex.split(command), "ask", str(analysis), question, "--json"], capture_output=True, text=True)
    if run.returncode != 0:
        return None
    return str(json.loads(run.stdout)["text"])


def short(text: str) -> str:
    """Answer in the style of the data sets: yes, no or a number if the text begins with one, else its first sentence."""
    words = normal(text).split()
    if words and (words[0] in ("yes", "no") or words[0].isdigit()):
        return words[0]
    return text.split(".")[0]


def choose(question: Question, text: str) -> frozenset[int]:
    """Choice with the largest share of its words in the answer; the first one in a tie.

    Where any number of choices may be right: those of which more than half the words occur.
    """
    answered = set(normal(text).split())
    shares = [len(answered & words) / max(1, len(words)) for words in word_sets(question.choices)]
    if question.single:
        return frozenset({shares.index(max(shares))})
    return frozenset(n for n, share in enumerate(shares) if share > 0.5)


def word_sets(choices: Iterable[str]) -> Iterator[set[str]]:
    """Normalised words of each choice."""
    for choice in choices:
        yield set(normal(choice).split())
