"""Loaders of CLEVRER (Yi et al. 2020), NExT-QA (Xiao et al. 2021) and ActivityNet-QA (Yu et al. 2019) as they are published."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VIDEO_ENDINGS = (".mp4", ".mkv", ".webm", ".avi", ".mov")

NEXT_QA_COLUMNS = ("video", "question", "answer", "qid", "type", "a0", "a1", "a2", "a3", "a4")
NEXT_QA_KINDS = {"C": "causal", "T": "temporal", "D": "descriptive"}
"""By the first letter of its `type` (CW, CH; TN, TC, TP; DC, DL, DO, DB)."""

ACTIVITYNET_KINDS = ("motion", "spatial", "temporal", "yes/no", "color", "object", "location", "number", "other")
"""By its number `type`."""


class FormatError(ValueError):
    """A file is not of its dataset's form; the message names the file and what is wrong."""


@dataclass(frozen=True)
class Question:
    """One question about one video. Without choices the answer is a text; with choices, the numbers of the right ones."""

    id: str
    video: str
    """File name without folder and ending."""
    text: str
    kind: str
    """The dataset's type of question, by which scores are told."""
    choices: tuple[str, ...] = ()
    answer: str = ""
    right: frozenset[int] = frozenset()
    single: bool = False
    """Exactly one choice is right, and the answerer knows that."""


@dataclass(frozen=True)
class Split:
    """The questions of one split of a dataset."""

    dataset: str
    name: str
    questions: tuple[Question, ...]


def load(dataset: str, root: Path, split: str) -> Split:
    """Raises FormatError; FileNotFoundError naming the file that is missing."""
    return Split(dataset, split, tuple(LOADERS[dataset](root, split)))


def find_videos(root: Path) -> dict[str, Path]:
    """The videos below a folder by file name without ending; ActivityNet's leading `v_` is taken off, too."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in VIDEO_ENDINGS:
            found[path.stem] = path
            found.setdefault(path.stem.removeprefix("v_"), path)
    return found


def load_clevrer(root: Path, split: str) -> list[Question]:
    """`train.json`, `validation.json`: descriptive questions have a text as answer; explanatory, predictive and counterfactual
    ones have choices of which any number is right. The test split has no answers and can't be scored."""
    path = existing(root, f"{split}.json", f"questions/{split}.json")
    out = []
    for scene in read_json(path):
        video = Path(need(scene, "video_filename", path)).stem
        for item in need(scene, "questions", path):
            kind = need(item, "question_type", path)
            name = f"{need(scene, 'scene_index', path)}-{need(item, 'question_id', path)}"
            text = need(item, "question", path)
            if kind == "descriptive":
                out.append(Question(name, video, text, kind, answer=str(need(item, "answer", path))))
                continue
            choices = need(item, "choices", path)
            verdicts = [need(choice, "answer", path) for choice in choices]
            if unknown := set(verdicts) - {"correct", "wrong"}:
                raise FormatError(f"{path}: question {name} has a choice that is {unknown.pop()!r}, not correct or wrong")
            right = frozenset(n for n, verdict in enumerate(verdicts) if verdict == "correct")
            out.append(Question(name, video, text, kind, tuple(str(need(c, "choice", path)) for c in choices), right=right))
    return out


def load_next_qa(root: Path, split: str) -> list[Question]:
    """`train.csv`, `val.csv`, `test.csv` of the multiple-choice task: one of five is right. Videos are named by
    `map_vid_vidorID.json` where that is there."""
    path = existing(root, f"{split}.csv", f"nextqa/{split}.csv")
    mapping_file = path.parent / "map_vid_vidorID.json"
    mapping = read_json(mapping_file) if mapping_file.exists() else {}
    out = []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in NEXT_QA_COLUMNS if name not in (reader.fieldnames or ())]:
            raise FormatError(f"{path}: there is no column {', '.join(missing)}")
        for row in reader:
            if row["answer"] not in ("0", "1", "2", "3", "4"):
                raise FormatError(f"{path}, line {reader.line_num}: answer is {row['answer']!r}, not the number of a choice")
            kind = NEXT_QA_KINDS.get(row["type"][:1])
            if kind is None:
                raise FormatError(f"{path}, line {reader.line_num}: unknown type {row['type']!r}")
            choices = tuple(row[f"a{n}"] for n in range(5))
            video = Path(mapping.get(row["video"], row["video"])).name
            name = f"{row['video']}-{row['qid']}"
            out.append(Question(name, video, row["question"], kind, choices, right=frozenset({int(row["answer"])}), single=True))
    return out


def load_activitynet_qa(root: Path, split: str) -> list[Question]:
    """`train_q.json` with `train_a.json`, and so for `val` and `test`: open questions."""
    questions_file, answers_file = (existing(root, f"{split}_{part}.json", f"dataset/{split}_{part}.json") for part in "qa")
    answers = {need(item, "question_id", answers_file): item for item in read_json(answers_file)}
    out = []
    for item in read_json(questions_file):
        name = need(item, "question_id", questions_file)
        answer = answers.get(name)
        if answer is None:
            raise FormatError(f"{answers_file}: there is no answer to question {name}")
        number = int(need(answer, "type", answers_file))
        if not 0 <= number < len(ACTIVITYNET_KINDS):
            raise FormatError(f"{answers_file}: question {name} has the unknown type {number}")
        text, video = need(item, "question", questions_file), need(item, "video_name", questions_file)
        out.append(Question(name, video, text, ACTIVITYNET_KINDS[number], answer=str(need(answer, "answer", answers_file))))
    return out


LOADERS: dict[str, Callable[[Path, str], list[Question]]] = {
    "clevrer": load_clevrer,
    "nextqa": load_next_qa,
    "activitynetqa": load_activitynet_qa,
}
SCORED_SPLIT = {"clevrer": "validation", "nextqa": "test", "activitynetqa": "test"}
"""What is usually scored, of the splits whose answers are published."""


def existing(root: Path, *names: str) -> Path:
    for name in names:
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{root} has no {' or '.join(names)}")


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}: no JSON: {error}") from error


def need(item: dict, key: str, path: Path) -> Any:
    if not isinstance(item, dict) or key not in item:
        raise FormatError(f"{path}: {key} is missing in {str(item)[:80]}")
    return item[key]
