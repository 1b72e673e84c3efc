"""The forecaster and the cause head on formula-generated tracks."""

from __future__ import annotations

import unittest

import numpy as np
import torch

from training.export.track_inputs import cause_inputs, forecaster_inputs
from training.models.cause_features import Reach
from training.models.causes import CauseGraph, CauseHead
from training.models.forecaster import Forecaster, ForecasterGraph
from training.models.kinematics import bend, braking, carried, motion_of

THINGS = 6


def tensors(feed: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values) for name, values in feed.items()}


def shuffled(feed: dict[str, torch.Tensor], order: torch.Tensor) -> dict[str, torch.Tensor]:
    moved = {name: values[order] if len(values) == THINGS else values for name, values in feed.items()}
    if "contact" in feed:
        moved["contact"] = feed["contact"][order][:, order]
    return moved


class Motions(unittest.TestCase):
    def test_a_braking_object_is_carried_to_its_resting_place(self) -> None:
        time = torch.arange(15) / 10
        place = torch.stack([0.3 + 0.5 * time - 0.1 * time**2, 0.1 + 0.2 * time - 0.04 * time**2], -1)[None, None]
        velocity, acceleration = (output[0, 0, -1] for output in bend(place, torch.ones(1, 1, 15), 7))
        brake = braking(velocity, acceleration)
        at_rest = torch.tensor([0.3 + 0.625, 0.1 + 0.25])
        self.assertTrue(torch.allclose(place[0, 0, -1] + carried(velocity, brake, 20.0), at_rest, atol=2e-3))

    def test_the_height_is_the_median_of_the_last_visible_second(self) -> None:
        boxes = torch.full((1, 1, 30, 4), 0.1)
        boxes[..., 22:, 3] = torch.tensor([0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.9, 0.9])
        seen = torch.ones(1, 1, 30)
        self.assertAlmostEqual(float(motion_of(boxes, seen, torch.zeros(1, 1)).height), 0.2, places=5)


class ForecasterTest(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(3)
        self.graph = ForecasterGraph(Forecaster()).eval()

    @torch.no_grad()
    def test_probabilities_of_an_item_are_at_most_1_and_pairs_are_symmetric(self) -> None:
        single, pair, _, modes = self.graph(*tensors(forecaster_inputs(THINGS)).values())
        self.assertLessEqual(float(single.sum(-1).max()), 1)
        self.assertTrue(torch.equal(pair, pair.transpose(0, 1)))
        self.assertTrue(torch.allclose(modes.sum(-1), torch.ones(THINGS)))

    @torch.no_grad()
    def test_the_order_of_objects_makes_no_difference(self) -> None:
        feed, order = tensors(forecaster_inputs(THINGS)), torch.tensor([4, 2, 0, 5, 1, 3])
        output, moved = self.graph(*feed.values()), self.graph(*shuffled(feed, order).values())
        self.assertTrue(torch.allclose(moved[0], output[0][order], atol=1e-5))
        self.assertTrue(torch.allclose(moved[1], output[1][order][:, order], atol=1e-5))

    @torch.no_grad()
    def test_objects_that_were_never_in_view_have_no_forecast(self) -> None:
        single, pair, *_ = self.graph(*tensors(forecaster_inputs(THINGS)).values())
        self.assertEqual(float(single[-1].sum() + pair[-1].sum()), 0)
        self.assertGreater(float(single[0].sum()), 0)

    @torch.no_grad()
    def test_invalid_inputs_give_finite_outputs(self) -> None:
        for value in (float("nan"), float("inf"), -1e30, 0.0):
            feed = tensors(forecaster_inputs(THINGS))
            feed["boxes"], feed["age"] = torch.full_like(feed["boxes"], value), torch.full_like(feed["age"], value)
            self.assertTrue(all(bool(torch.isfinite(output).all()) for output in self.graph(*feed.values())), str(value))


class CauseHeadTest(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(3)
        self.graph = CauseGraph(CauseHead()).eval()

    @torch.no_grad()
    def test_the_order_of_objects_makes_no_difference(self) -> None:
        feed, order = tensors(cause_inputs(THINGS)), torch.tensor([4, 2, 0, 5, 1, 3])
        output, moved = self.graph(*feed.values()), self.graph(*shuffled(feed, order).values())
        self.assertTrue(torch.allclose(moved, output[order], atol=1e-5))

    @torch.no_grad()
    def test_scenes_of_a_batch_do_not_influence_each_other(self) -> None:
        head, feeds = self.graph.model, [tensors(cause_inputs(THINGS)), tensors(cause_inputs(THINGS))]
        feeds[1]["boxes"] = feeds[1]["boxes"].flip(0)
        alone = [head(*(v if k in ("aspect", "event") else v[None] for k, v in feed.items()))[0][0] for feed in feeds]
        both = {k: torch.stack([feed[k] for feed in feeds]) for k in feeds[0]}
        both |= {k: both[k][:, 0] for k in ("aspect", "event")}
        together, _ = head(*both.values())
        self.assertTrue(torch.allclose(together, torch.stack(alone), atol=1e-4))

    def test_a_contact_counts_if_it_precedes_the_next_one_in_the_chain(self) -> None:
        roles = torch.nn.functional.one_hot(torch.tensor([[1, 2, 0, 0, 0]]), 3).float()
        contact = torch.zeros(1, 5, 5, 2)
        for one, other, seconds in ((0, 2, 1.0), (2, 3, 2.0), (2, 4, 0.5)):
            contact[0, one, other] = contact[0, other, one] = torch.tensor([0.9, seconds])
        self.assertEqual((Reach(contact, roles).trust[0] > 0).tolist(), [True, True, True, True, False])


if __name__ == "__main__":
    unittest.main()
