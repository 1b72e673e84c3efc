"""Scores of probabilities, and labels and examples from track scenes."""

from __future__ import annotations

import unittest

import numpy as np
import torch

from training.data.tracks.examples import mirror, window
from training.evaluate.probability_scores import average_precision, calibration_error, f1, fit_logistic, scores
from training.train.stages.forecast import RERUN_SHARE, labels


class Scores(unittest.TestCase):
    def test_the_base_rate_has_skill_0_and_a_perfect_forecast_has_skill_1(self) -> None:
        true = np.array([1.0, 0, 0, 1])
        self.assertEqual(scores(np.full(4, 0.5), true)["skill"], 0)
        self.assertEqual(scores(true, true)["skill"], 1)

    def test_average_precision_treats_ties_as_one_threshold(self) -> None:
        self.assertAlmostEqual(average_precision(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 0, 1, 0])), 0.5 + 0.5 * 2 / 3)

    def test_calibration_error_is_the_gap_to_the_observed_frequency(self) -> None:
        predicted = np.repeat([0.2, 0.8], 100)
        true = np.concatenate([np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [60, 40])])
        self.assertAlmostEqual(calibration_error(predicted, true), 0.1)

    def test_f1_counts_probabilities_at_the_threshold_as_positive(self) -> None:
        self.assertEqual(f1(np.array([0.5, 0.4, 0.9]), np.array([1, 1, 0])), {"f1": 0.5, "precision": 0.5, "recall": 0.5})

    def test_the_fit_recovers_scale_and_shift(self) -> None:
        rng = np.random.default_rng(1)
        logits = rng.normal(-1, 2, 20_000)
        true = (rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * logits + 1)))).astype(float)
        scale, shift = fit_logistic(logits, true)
        self.assertAlmostEqual(scale, 0.5, delta=0.03)
        self.assertAlmostEqual(shift, 1, delta=0.06)

    def test_too_few_cases_give_the_identity(self) -> None:
        self.assertEqual(fit_logistic(np.array([1.0, -1, 2]), np.array([1.0, 0, 1])), (1.0, 0.0))


class Examples(unittest.TestCase):
    def test_frames_before_the_first_are_empty(self) -> None:
        series = np.arange(1, 11, dtype=float).reshape(1, 10, 1)
        self.assertEqual(window(series, np.array([2]), 5)[0, 0].tolist(), [0, 0, 1, 2, 3])

    def test_labels_mix_reruns_and_outcome_and_accept_either_alone(self) -> None:
        rerun = np.full((3, 6), np.nan)
        rerun[0] = rerun[1] = [0.5, 0, 0, 0, 0, 0]
        mixed = labels(rerun, np.array([6, -1, 2]))
        self.assertAlmostEqual(float(mixed[0, 0]), 0.5 * RERUN_SHARE, places=3)
        self.assertAlmostEqual(float(mixed[0, 6]), 0.5 * RERUN_SHARE + 1 - RERUN_SHARE, places=3)
        self.assertEqual(mixed[1].tolist(), [0.5, 0, 0, 0, 0, 0, 0.5])
        self.assertEqual(mixed[2].tolist(), [0, 0, 1, 0, 0, 0, 0])

    def test_mirroring_twice_changes_nothing(self) -> None:
        boxes = torch.rand(2, 3, 4, 4)
        rows = {"boxes": boxes, "seen": torch.ones(2, 3, 4), "aspect": torch.tensor([1.5, 1.2])}
        for _ in range(2):
            mirror(rows, torch.tensor([True, False]))
        self.assertTrue(torch.allclose(rows["boxes"], boxes, atol=1e-6))


if __name__ == "__main__":
    unittest.main()
