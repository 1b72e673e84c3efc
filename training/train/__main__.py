"""Runs `training.train.cli`."""

from training.train.cli import main

main()
