"""Loss curves of the recorded runs as one picture: python -m training.curves heal align instruct --out training/runs/fused.png"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

RUNS = Path(__file__).parent / "runs"


def series(losses: list[dict]) -> dict[str, tuple[list[int], list[float]]]:
    told: dict[str, tuple[list[int], list[float]]] = {}
    for entry in losses:
        for name, value in entry.items():
            if name != "step":
                steps, values = told.setdefault(name, ([], []))
                steps.append(entry["step"])
                values.append(value)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    _, all_axes = pyplot.subplots(1, len(options.stages), figsize=(6 * len(options.stages), 4), squeeze=False)
    for axes, stage in zip(all_axes[0], options.stages, strict=True):
        run = json.loads((RUNS / f"{stage}.json").read_text())
        for name, (steps, values) in series(run["losses"]).items():
            axes.plot(steps, values, label=name, linewidth=2 if name == "held" else 1, marker="." if len(steps) < 20 else None)
        axes.set(title=f"{stage}: {run['seconds'] / 60:.0f} min", xlabel="step", ylabel="loss", yscale="log")
        axes.legend(fontsize=7)
    pyplot.tight_layout()
    pyplot.savefig(options.out, dpi=80)


if __name__ == "__main__":
    main()
