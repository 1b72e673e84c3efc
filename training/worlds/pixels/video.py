"""Writes frames as H.264 with ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np


class VideoWriter:
    """Encodes BGR frames (height, width, 3) uint8 to an mp4 file.

    `close` raises RuntimeError when ffmpeg failed.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float, crf: int, preset: str) -> None:
        self.path = path
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "bgr24",
            "-s",
            f"{width}x{height}",
            "-r",
            f"{fps:g}",
            "-i",
            "-",
            "-c:v",
            "libx264",
            "-preset",
            preset,
            "-threads",
            "1",
            "-crf",
            str(crf),
            "-pix_fmt",
            "yuv420p",
            str(path),
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def write(self, picture: np.ndarray) -> None:
        """Encode one frame."""
        assert self.process.stdin is not None
        self.process.stdin.write(np.ascontiguousarray(picture).tobytes())

    def close(self) -> None:
        """Finish the file."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError(f"ffmpeg could not write {self.path}")
