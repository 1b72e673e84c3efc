"""Draws the losses of training runs.

    python -m training.evaluate.curves heal align instruct --out training/train/runs/fused.svg
    python -m training.evaluate.curves training/train/runs/clip.json [MORE.json ...] [--out curves.svg]

One panel for each loss in the records (a name without extension means training/train/runs/NAME.json) over the steps: every
logged
mean as a thin line, their exponential mean as a thick one. A loss with positive values that span more than a decade has a
logarithmic scale. Without --out, the picture is written next to the first record, as .svg. Needs the standard library only.
"""

from __future__ import annotations

import argparse
import html
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.paths import RUNS

WIDTH, HEIGHT = 420, 240
"""Size of a panel, px."""
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 34, 34
COLUMNS = 2
COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")
AVERAGED = 12
"""The thick line averages over about 1 / AVERAGED of a run."""


@dataclass(frozen=True)
class Curve:
    """One loss of one run."""

    run: str
    steps: list[float]
    values: list[float]


def curves_of(records: dict[str, dict[str, Any]]) -> dict[str, list[Curve]]:
    """Curves by name of the loss; values that are not finite numbers are left out."""
    out: dict[str, list[Curve]] = {}
    for run, record in records.items():
        losses = record.get("losses", [])
        for name in dict.fromkeys(key for row in losses for key in row if key != "step"):
            points = [
                (row["step"], row[name]) for row in losses if isinstance(row.get(name), (int, float)) and math.isfinite(row[name])
            ]
            if points:
                out.setdefault(name, []).append(Curve(run, [float(s) for s, _ in points], [float(v) for _, v in points]))
    return out


def smoothed(values: list[float]) -> list[float]:
    """Exponential mean with weight AVERAGED / length for the newest value, at most 1."""
    newest = min(1.0, AVERAGED / len(values))
    out: list[float] = []
    for value in values:
        out.append(value if not out else (1 - newest) * out[-1] + newest * value)
    return out


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers within the range, spaced by 1, 2 or 5 times a power of ten."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


class Panel:
    """Axes and curves of one loss."""

    def __init__(self, name: str, curves: list[Curve], x: float, y: float):
        self.name, self.curves, self.x, self.y = name, curves, x, y
        values = [value for curve in curves for value in curve.values]
        self.last = max(step for curve in curves for step in curve.steps)
        self.first = min(step for curve in curves for step in curve.steps)
        self.log = min(values) > 0 and max(values) > 10 * min(values)
        low, high = self.scale(min(values)), self.scale(max(values))
        margin = 0.05 * (high - low) or 0.5 * abs(high) or 1.0
        self.low, self.high = low - margin, high + margin

    def scale(self, value: float) -> float:
        """Value on the axis."""
        return math.log10(value) if self.log else value

    def at(self, step: float, value: float) -> tuple[float, float]:
        """Position in px."""
        across = (step - self.first) / ((self.last - self.first) or 1)
        up = (self.scale(value) - self.low) / (self.high - self.low)
        return self.x + LEFT + across * (WIDTH - LEFT - RIGHT), self.y + HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def labels(self) -> list[float]:
        """Values of the tick labels."""
        marks = ticks(self.low, self.high)
        return [10**mark for mark in marks] if self.log else marks

    def svg(self) -> str:
        """The panel as SVG."""
        left, right = self.x + LEFT, self.x + WIDTH - RIGHT
        bottom = self.y + HEIGHT - BOTTOM
        title = html.escape(f"{self.name}{' (logarithmic)' if self.log else ''}")
        elements = [f'<text x="{left}" y="{self.y + TOP - 14}" font-weight="bold">{title}</text>']
        for value in self.labels():
            height = self.at(self.first, value)[1]
            elements.append(f'<line x1="{left}" y1="{height:.1f}" x2="{right}" y2="{height:.1f}" stroke="#ddd"/>')
            elements.append(f'<text x="{left - 6}" y="{height + 4:.1f}" text-anchor="end">{value:.4g}</text>')
        for step in ticks(self.first, self.last):
            place = self.at(step, 10**self.low if self.log else self.low)[0]
            elements.append(f'<text x="{place:.1f}" y="{bottom + 16}" text-anchor="middle">{step:.6g}</text>')
        for n, curve in enumerate(self.curves):
            color = COLORS[n % len(COLORS)]
            elements.append(self.line(curve.steps, curve.values, f'stroke="{color}" stroke-width="0.7" opacity="0.45"'))
            elements.append(self.line(curve.steps, smoothed(curve.values), f'stroke="{color}" stroke-width="2"'))
            name = html.escape(curve.run)
            elements.append(f'<text x="{right}" y="{self.y + TOP + 12 * n}" text-anchor="end" fill="{color}">{name}</text>')
        return "\n".join(elements)

    def line(self, steps: list[float], values: list[float], style: str) -> str:
        """A curve as SVG."""
        points = " ".join("{:.1f},{:.1f}".format(*self.at(step, value)) for step, value in zip(steps, values, strict=True))
        return f'<polyline points="{points}" fill="none" {style}/>'


def draw(records: dict[str, dict[str, Any]]) -> str:
    """The picture as SVG. Raises ValueError when no record has losses."""
    curves = curves_of(records)
    if not curves:
        raise ValueError("the records have no losses to draw")
    columns = min(COLUMNS, len(curves))
    rows = math.ceil(len(curves) / columns)
    panels = [
        Panel(name, own, (n % columns) * WIDTH, (n // columns) * HEIGHT).svg() for n, (name, own) in enumerate(curves.items())
    ]
    size = f'width="{columns * WIDTH}" height="{rows * HEIGHT}" viewBox="0 0 {columns * WIDTH} {rows * HEIGHT}"'
    body = "\n".join(panels)
    font = 'font-family="sans-serif" font-size="11"'
    paper = '<rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n{paper}\n{body}\n</svg>\n'


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+", help="files, or names of stages")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    paths = [Path(name) if name.endswith(".json") else RUNS / f"{name}.json" for name in options.records]
    out = options.out or paths[0].with_suffix(".svg")
    out.write_text(draw({path.stem: json.loads(path.read_text()) for path in paths}))
    print(out)


if __name__ == "__main__":
    main()
