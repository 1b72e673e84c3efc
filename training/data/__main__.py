"""python -m training.data tokens|check …"""

from __future__ import annotations

import argparse

from . import check, tokens


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.data", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("tokens", help="scenes as tracks, with causes and soft futures")
    tokens.add_arguments(command)
    command.set_defaults(run=tokens.main)
    command = commands.add_parser("check", help="whether shards hold what they must")
    check.add_arguments(command)
    command.set_defaults(run=check.main)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
