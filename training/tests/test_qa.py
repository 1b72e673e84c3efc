"""Loaders and scores of question-answering data sets, on tiny files in the published formats."""

from __future__ import annotations

import argparse
import json
import tempfile
import unittest
from pathlib import Path

from training.evaluate.cli import evaluate_questions
from training.evaluate.qa.datasets import FormatError, Question, find_videos, load
from training.evaluate.qa.presage import choose, short
from training.evaluate.qa.scores import MostCommonAnswer, normal, score

CLEVRER = [
    {
        "scene_index": 10000,
        "video_filename": "video_10000.mp4",
        "questions": [
            {
                **{"question_id": 0, "question_type": "descriptive", "question_subtype": "exist", "program": []},
                **{"question": "Are there any moving spheres?", "answer": "yes"},
            },
            {
                **{"question_id": 1, "question_type": "predictive", "program": [], "question": "What will happen next?"},
                "choices": [
                    {"choice_id": 0, "choice": "The sphere collides with the cube", "program": [], "answer": "correct"},
                    {"choice_id": 1, "choice": "The cube exits", "program": [], "answer": "wrong"},
                    {"choice_id": 2, "choice": "The cylinder exits", "program": [], "answer": "wrong"},
                ],
            },
        ],
    }
]
NEXT_QA = """video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4
4010069381,369,640,480,"how do the two man, play",0,6,CH,roll the handle,tap their feet,sleep,eat,sing
4010069381,369,640,480,what happens after the dog barks,3,7,TN,sits,runs,eats,jumps,sleeps
"""
ACTIVITYNET_Q = [{"video_name": "1QIUV7WYKXg", "question": "is the athlete wearing trousers", "question_id": "v_1QIUV7WYKXg_3"}]
ACTIVITYNET_A = [{"answer": "yes", "type": 3, "question_id": "v_1QIUV7WYKXg_3"}]


class Folder(unittest.TestCase):
    """A folder for the test's files."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, name: str, content: object) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


class Loaders(Folder):
    def test_clevrer_has_open_questions_and_questions_with_any_number_of_right_choices(self) -> None:
        self.write("validation.json", CLEVRER)
        first, second = load("clevrer", self.root, "validation").questions
        self.assertEqual((first.id, first.video, first.kind, first.answer), ("10000-0", "video_10000", "descriptive", "yes"))
        self.assertEqual((first.choices, second.kind, second.right), ((), "predictive", frozenset({0})))
        self.assertEqual((len(second.choices), second.single), (3, False))

    def test_next_qa_has_five_choices_one_of_them_right(self) -> None:
        self.write("test.csv", NEXT_QA)
        self.write("map_vid_vidorID.json", {"4010069381": "1164/4010069381"})
        first, second = load("nextqa", self.root, "test").questions
        self.assertEqual((first.text, first.kind, first.right), ("how do the two man, play", "causal", frozenset({0})))
        self.assertEqual((second.id, second.kind, second.choices[3]), ("4010069381-7", "temporal", "jumps"))
        self.assertEqual((second.video, second.single), ("4010069381", True))

    def test_activitynet_qa_joins_questions_and_answers(self) -> None:
        self.write("dataset/test_q.json", ACTIVITYNET_Q)
        self.write("dataset/test_a.json", ACTIVITYNET_A)
        (question,) = load("activitynetqa", self.root, "test").questions
        self.assertEqual((question.video, question.kind, question.answer), ("1QIUV7WYKXg", "yes/no", "yes"))

    def test_videos_are_found_in_any_folder_with_and_without_the_v_of_activitynet(self) -> None:
        self.write("videos/train/v_1QIUV7WYKXg.mkv", "")
        self.write("video_10000.mp4", "")
        found = find_videos(self.root)
        self.assertEqual(found["1QIUV7WYKXg"], self.root / "videos/train/v_1QIUV7WYKXg.mkv")
        self.assertEqual(found["video_10000"].name, "video_10000.mp4")

    def test_a_missing_file_is_named(self) -> None:
        for dataset, name in (("clevrer", "test.json"), ("nextqa", "test.csv"), ("activitynetqa", "test_q.json")):
            with self.assertRaisesRegex(FileNotFoundError, name):
                load(dataset, self.root, "test")

    def test_format_errors_name_the_problem(self) -> None:
        self.write("validation.json", [{"scene_index": 1, "questions": []}])
        with self.assertRaisesRegex(FormatError, "validation.json: video_filename is missing"):
            load("clevrer", self.root, "validation")
        self.write("test.csv", NEXT_QA.replace(",a4", ",x"))
        with self.assertRaisesRegex(FormatError, "no column a4"):
            load("nextqa", self.root, "test")
        self.write("val.csv", NEXT_QA.replace(",0,6,", ",9,6,"))
        with self.assertRaisesRegex(FormatError, "val.csv, line 2: answer is '9'"):
            load("nextqa", self.root, "val")
        self.write("test_q.json", ACTIVITYNET_Q)
        self.write("test_a.json", [])
        with self.assertRaisesRegex(FormatError, "no answer to question v_1QIUV7WYKXg_3"):
            load("activitynetqa", self.root, "test")
        self.write("train_q.json", "{")
        self.write("train_a.json", ACTIVITYNET_A)
        with self.assertRaisesRegex(FormatError, "train_q.json: invalid JSON"):
            load("activitynetqa", self.root, "train")


class Scores(unittest.TestCase):
    open_question = Question("1", "v", "how many dogs", "number", answer="Two")
    one = Question("2", "v", "why", "causal", ("a b", "c d", "e"), right=frozenset({1}), single=True)
    several = Question("3", "v", "next", "predictive", ("a b", "c d", "e"), right=frozenset({0, 2}))

    def test_texts_are_compared_without_case_articles_and_number_words(self) -> None:
        self.assertEqual(normal("The  TWO dogs."), "2 dogs")
        self.assertEqual(score([self.open_question], {"1": "2"})["number"]["accuracy"], 1)

    def test_all_choices_must_be_correct_and_each_is_also_counted_separately(self) -> None:
        row = score([self.several], {"3": frozenset({0})})["predictive"]
        self.assertEqual((row["accuracy"], row["per_option"]), (0, round(2 / 3, 4)))
        self.assertEqual(score([self.several], {"3": frozenset({0, 2})})["all"]["accuracy"], 1)

    def test_an_unanswered_question_counts_as_wrong(self) -> None:
        rows = score([self.open_question, self.one], {"2": frozenset({1})})
        self.assertEqual((rows["all"]["n"], rows["all"]["answered"], rows["all"]["accuracy"]), (2, 1, 0.5))
        self.assertEqual(rows["number"]["answered"], 0)

    def test_the_baseline_gives_the_most_common_answer_of_the_type(self) -> None:
        seen = [self.open_question, Question("9", "w", "is it red", "yes/no", answer="no"), self.one, self.several]
        baseline = MostCommonAnswer(seen)
        self.assertEqual(baseline.answer(Question("4", "x", "how many", "number")), "2")
        self.assertEqual(baseline.answer(self.one), frozenset({1}))
        # Two of three choices were right, so each choice is held right.
        self.assertEqual(baseline.answer(self.several), frozenset({0, 1, 2}))
        self.assertIsNone(MostCommonAnswer([]).answer(self.one))

    def test_an_answer_in_words_is_converted_to_the_format_of_the_data_set(self) -> None:
        self.assertEqual(short("Yes, at 3.2 s person 1 met person 2."), "yes")
        self.assertEqual(short("Two persons. One is standing."), "2")
        self.assertEqual(choose(self.one, "it was c and d"), frozenset({1}))
        self.assertEqual(choose(self.several, "b, a; then e"), frozenset({0, 2}))


class Evaluate(Folder):
    def options(self, **changes: object) -> argparse.Namespace:
        given = {"dataset": "clevrer", "root": self.root, "split": None, "presage": None, "work": None}
        return argparse.Namespace(**(given | changes))

    def test_the_baseline_is_fitted_on_the_training_split_only(self) -> None:
        self.write("train.json", CLEVRER)
        other = json.loads(json.dumps(CLEVRER))
        other[0]["questions"][0]["answer"] = "no"
        self.write("validation.json", other)
        rows = evaluate_questions(self.options())["baseline"]
        self.assertEqual(rows["descriptive"]["accuracy"], 0)
        self.assertEqual((rows["predictive"]["accuracy"], rows["predictive"]["per_option"]), (0, round(2 / 3, 4)))

    def test_without_a_training_split_the_baseline_is_not_scored(self) -> None:
        self.write("validation.json", CLEVRER)
        self.assertIn("not scored", evaluate_questions(self.options())["baseline"])

    def test_presage_is_not_scored_without_videos(self) -> None:
        self.write("validation.json", CLEVRER)
        report = evaluate_questions(self.options(presage="node dist/cli/main.js"))
        self.assertEqual(report["presage"], "not scored: none of the videos was found")


if __name__ == "__main__":
    unittest.main()
