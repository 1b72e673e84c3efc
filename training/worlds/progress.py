"""Progress bar on standard error: redrawn in place on a terminal, printed every 10 s elsewhere."""

from __future__ import annotations

import sys
import time

WIDTH = 30
QUIET_S = 10.0  # between lines without a terminal


class Progress:
    """Counts finished steps of `total` and prints the rate and the remaining time. Used as a context manager."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.start, self.printed_at = total, 0, time.monotonic(), 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def step(self, note: str = "") -> None:
        """Count one step; `note` is printed behind the figures."""
        self.done += 1
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if not terminal and self.done < self.total and now - self.printed_at < QUIET_S:
            return
        self.printed_at = now
        rate = self.done / max(now - self.start, 1e-9)
        filled = WIDTH * self.done // max(self.total, 1)
        line = (
            f"[{'#' * filled}{'.' * (WIDTH - filled)}] {self.done}/{self.total} {rate:.2f}/s "
            f"{(self.total - self.done) / rate:.0f} s left  {note}"
        )
        print(f"\r{line[:150]:<150}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)
