"""Scores of answers, and the baseline without video: the most common answer to the type of question."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from training.evaluate.qa.datasets import Question

Answer = str | frozenset[int] | None
"""A text, the numbers of the chosen options, or None without an answer."""

ARTICLES = {"a", "an", "the"}
NUMBERS = {
    word: str(n) for n, word in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"])
}


@dataclass
class Score:
    """Counts of one type of question."""

    questions: int = 0
    answered: int = 0
    right: int = 0
    """Text equal to the true one after `normal`, or exactly the right choices."""
    options: int = 0
    options_right: int = 0
    """Correctly judged choices, each counted separately (`per option` of CLEVRER)."""

    def row(self) -> dict[str, float | int | None]:
        """Rates for the report."""
        per_option = round(self.options_right / self.options, 4) if self.options else None
        accuracy = round(self.right / self.questions, 4)
        return {"n": self.questions, "answered": self.answered, "accuracy": accuracy, "per_option": per_option}


class MostCommonAnswer:
    """Most common answer to questions of the type in another split; of all types where the type is new."""

    def __init__(self, questions: Iterable[Question]):
        self.by_kind: dict[str, Counter[Answer]] = defaultdict(Counter)
        self.verdicts: dict[str, Counter[bool]] = defaultdict(Counter)
        for question in questions:
            for kind in (question.kind, ""):
                if question.choices and not question.single:
                    self.verdicts[kind].update(n in question.right for n in range(len(question.choices)))
                else:
                    self.by_kind[kind][question.right if question.choices else normal(question.answer)] += 1

    def answer(self, question: Question) -> Answer:
        """The answer, or None without any example."""
        if question.choices and not question.single:
            verdicts = self.verdicts.get(question.kind) or self.verdicts.get("")
            if not verdicts:
                return None
            return frozenset(range(len(question.choices))) if verdicts[True] > verdicts[False] else frozenset()
        seen = self.by_kind.get(question.kind) or self.by_kind.get("")
        # Counters keep insertion order, so ties are resolved deterministically.
        return seen.most_common(1)[0][0] if seen else None


def score(questions: Iterable[Question], answers: dict[str, Answer]) -> dict[str, dict[str, Any]]:
    """Scores by type of question, and `all`. Questions without an answer count as wrong."""
    scores: dict[str, Score] = {}
    for question in questions:
        answer = answers.get(question.id)
        for kind in (question.kind, "all"):
            add(scores.setdefault(kind, Score()), question, answer)
    return {kind: scores[kind].row() for kind in sorted(scores, key=lambda name: (name == "all", name))}


def add(total: Score, question: Question, answer: Answer) -> None:
    """Add one question."""
    total.questions += 1
    total.answered += answer is not None
    if not question.choices:
        total.right += isinstance(answer, str) and normal(answer) == normal(question.answer)
        return
    total.right += answer == question.right
    if not question.single:
        total.options += len(question.choices)
        if isinstance(answer, frozenset):
            total.options_right += sum((n in answer) == (n in question.right) for n in range(len(question.choices)))


def normal(text: str) -> str:
    """Lower case, without punctuation and articles, number words as digits."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return " ".join(NUMBERS.get(word, word) for word in words if word not in ARTICLES)
