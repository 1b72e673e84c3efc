"""A progress bar on standard error: redrawn in place on a terminal, a line now and then otherwise."""

from __future__ import annotations

import sys
import time

WIDTH = 30
QUIET_S = 10.0  # between lines where there is no terminal


class Progress:
    def __init__(self, total: int) -> None:
        self.total, self.done, self.start, self.told = total, 0, time.monotonic(), 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def step(self, note: str = "") -> None:
        self.done += 1
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if not terminal and self.done < self.total and now - self.told < QUIET_S:
            return
        self.told = now
        rate = self.done / max(now - self.start, 1e-9)
        filled = WIDTH * self.done // max(self.total, 1)
        line = (
            f"[{'#' * filled}{'.' * (WIDTH - filled)}] {self.done}/{self.total} {rate:.2f}/s "
            f"{(self.total - self.done) / rate:.0f} s left  {note}"
        )
        print(f"\r{line[:150]:<150}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)
