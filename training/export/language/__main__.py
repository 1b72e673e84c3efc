"""Runs `training.export.language.cli`."""

from training.export.language.cli import main

main()
