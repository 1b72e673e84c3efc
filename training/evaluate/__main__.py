"""Runs `training.evaluate.cli`."""

from training.evaluate.cli import main

main()
