"""Paths inside the repository that several modules use."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "training" / "train" / "runs"
"""Records of the training runs: STAGE.json, and parity.json with PyTorch's outputs at export."""
REFERENCE = RUNS / "parity.json"
