"""python -m training.data tokens|rendered|bullet|check …"""

from __future__ import annotations

import argparse

from training.data.tracks import bullet, check, rendered
from training.data.tracks import simulated as tokens


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.data", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, module, about in (
        ("tokens", tokens, "scenes as tracks, with causes and soft futures"),
        ("rendered", rendered, "scenes as videos, seen by our own perception"),
        ("bullet", bullet, "scenes of the physics engine without pictures"),
        ("check", check, "whether shards hold what they must"),
    ):
        command = commands.add_parser(name, help=about)
        module.add_arguments(command)
        command.set_defaults(run=module.main)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
