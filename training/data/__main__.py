"""Makes and checks track scenes: python -m training.data tracks|rendered|bullet|check."""

from __future__ import annotations

import argparse

from training.data.tracks import bullet, check, rendered, simulated


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.data", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, module, about in (
        ("tracks", simulated, "simulated track scenes with causes and soft futures"),
        ("rendered", rendered, "rendered videos, tracked by Presage"),
        ("bullet", bullet, "scenes of the Bullet physics engine without pictures"),
        ("check", check, "check the invariants of shards"),
    ):
        command = commands.add_parser(name, help=about)
        module.add_arguments(command)
        command.set_defaults(run=module.main)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
