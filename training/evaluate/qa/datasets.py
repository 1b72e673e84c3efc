"""Loaders of CLEVRER (Yi et al. 2020), NExT-QA (Xiao et al. 2021) and ActivityNet-QA (Yu et al. 2019) as published."""

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
"""Kind by the first letter of `type` (CW, CH; TN, TC, TP; DC, DL, DO, DB)."""

ACTIVITYNET_KINDS = ("motion", "spatial", "temporal", "yes/no", "color", "object", "location", "number", "other")
"""Kind by the number `type`."""


class FormatError(ValueError):
    """A file does not have the format of its data set; the message names the file and the problem."""


@dataclass(frozen=True)
class Question:
    """One question about one video. The answer is a text, or with choices the numbers of the right ones."""

    id: str
    video: str
    """File name without folder and extension."""
    text: str
    kind: str
    """Type of question in the data set, by which scores are grouped."""
    choices: tuple[str, ...] = ()
    answer: str = ""
    right: frozenset[int] = frozenset()
    single: bool = False
    """Exactly one choice is right, and this is known to the answerer."""


@dataclass(frozen=True)
class Split:
    """Questions of one split of a data set."""

    dataset: str
    name: str
    questions: tuple[Question, ...]


def load(dataset: str, root: Path, split: str) -> Split:
    """Load a split. Raises FormatError, or FileNotFoundError naming the missing file."""
    return Split(dataset, split, tuple(LOADERS[dataset](root, split)))


def find_videos(root: Path) -> dict[str, Path]:
    """Videos below a folder by file name without extension, also without the leading `v_` of ActivityNet."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in VIDEO_ENDINGS:
            found[path.stem] = path
            found.setdefault(path.stem.removeprefix("v_"), path)
    return found


def load_clevrer(root: Path, split: str) -> list[Question]:
    """Load `train.json` or `validation.json`.

    Descriptive questions have a text as answer; explanatory, predictive and counterfactual ones have choices of which any
    number may
    be right. The test split has no answers and cannot be scored.
    """
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
    """Load `train.csv`, `val.csv` or `test.csv` of the multiple-choice task, in which one of five choices is right.

    `map_vid_vidorID.json`, if present, names the videos.
    """
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
    """Load `SPLIT_q.json` with `SPLIT_a.json`: open questions."""
    questions_file, answers_file = (existing(root, f"{split}_{letter}.json", f"dataset/{split}_{letter}.json") for letter in "qa")
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
"""The split that is usually scored, among those with published answers."""


def existing(root: Path, *names: str) -> Path:
    """First of the paths that exists. Raises FileNotFoundError."""
    for name in names:
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{root} has no {' or '.join(names)}")


def read_json(path: Path) -> Any:
    """Content of a JSON file. Raises FormatError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}: invalid JSON: {error}") from error


def need(item: dict[str, Any], key: str, path: Path) -> Any:
    """Value of a key. Raises FormatError when it is missing."""
    if not isinstance(item, dict) or key not in item:
        raise FormatError(f"{path}: {key} is missing in {str(item)[:80]}")
    return item[key]
