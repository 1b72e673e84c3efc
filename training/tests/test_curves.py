"""Pictures of losses."""

from __future__ import annotations

import unittest
from xml.etree import ElementTree

from training.evaluate.curves import draw, smoothed, ticks

RECORD = {
    "losses": [
        {"step": 50, "all": 2.0, "pairs": 0.5},
        {"step": 100, "all": 0.1, "pairs": 0.4},
        {"step": 150, "all": float("nan")},
    ]
}


class Curves(unittest.TestCase):
    def test_each_loss_has_one_panel_with_every_run(self) -> None:
        picture = ElementTree.fromstring(draw({"first": RECORD, "second <b>": RECORD}))
        lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
        self.assertEqual(len(lines), 2 * 2 * 2)
        texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("all (logarithmic)", texts)
        self.assertIn("pairs", texts)
        self.assertEqual(texts.count("second <b>"), 2)

    def test_a_falling_loss_is_drawn_downwards_and_values_that_are_not_finite_are_left_out(self) -> None:
        line = ElementTree.fromstring(draw({"run": RECORD})).find("{http://www.w3.org/2000/svg}polyline")
        assert line is not None
        (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.attrib["points"].split())
        self.assertLess(x0, x1)
        self.assertLess(y0, y1)

    def test_a_constant_loss_can_be_drawn(self) -> None:
        self.assertIn("polyline", draw({"run": {"losses": [{"step": 1, "loss": 0.0}, {"step": 2, "loss": 0.0}]}}))

    def test_records_without_losses_are_an_error(self) -> None:
        with self.assertRaises(ValueError):
            draw({"run": {"losses": []}})

    def test_marks_are_round_numbers_within_the_range(self) -> None:
        self.assertEqual(ticks(0.0, 1000.0), [0, 200, 400, 600, 800, 1000])
        self.assertEqual([round(mark, 3) for mark in ticks(0.031, 0.052)], [0.035, 0.04, 0.045, 0.05])

    def test_the_thick_line_is_a_slow_average(self) -> None:
        self.assertEqual(smoothed([1.0] + 23 * [0.0])[:3], [1.0, 0.5, 0.25])
        self.assertEqual(smoothed([1.0, 0.0]), [1.0, 0.0])


if __name__ == "__main__":
    unittest.main()
