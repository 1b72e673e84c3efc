"""Runs `training.export.cli`."""

from training.export.cli import main

main()
