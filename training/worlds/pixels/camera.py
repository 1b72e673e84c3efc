"""A pinhole camera above the plane z = 0. World z is up; lengths in m, pixels from the top left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Camera:
    """Position and intrinsics of a camera without lens distortion.

    eye (3,) m; rotation (3, 3) with the rows right, down and forward; focal length, width and height in px.
    """

    eye: np.ndarray
    rotation: np.ndarray
    focal: float
    width: int
    height: int

    @classmethod
    def looking(cls, eye: np.ndarray, at: np.ndarray, roll: float, focal: float, width: int, height: int) -> Camera:
        """Return a camera at `eye` that points at `at` (both in m), rolled by `roll` rad about its axis."""
        forward = (at - eye) / np.linalg.norm(at - eye)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        c, s = np.cos(roll), np.sin(roll)
        return cls(eye, np.stack([c * right + s * down, c * down - s * right, forward]), focal, width, height)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World points (n, 3) to pixels (n, 2) and depths (n,) in m along the optical axis; depth ≤ 0 is behind the camera."""
        local = (np.asarray(points, float) - self.eye) @ self.rotation.T
        depth = local[:, 2]
        safe = np.where(depth > 1e-3, depth, 1e-3)
        centre = [(self.width - 1) / 2, (self.height - 1) / 2]
        return local[:, :2] / safe[:, None] * self.focal + centre, depth

    def rays(self) -> np.ndarray:
        """World directions (height, width, 3), float32, of length 1 along the optical axis: point = eye + depth · ray."""
        x = (np.arange(self.width) - (self.width - 1) / 2) / self.focal
        y = (np.arange(self.height) - (self.height - 1) / 2) / self.focal
        local = np.stack([*np.meshgrid(x, y), np.ones((self.height, self.width))], -1)
        return (local @ self.rotation).astype(np.float32)

    def sees(self, point: np.ndarray, radius: float) -> bool:
        """Whether a part of a ball around the point may be inside the picture. radius in m."""
        pixel, depth = self.project(np.asarray(point)[None])
        if depth[0] < 0.2:
            return False
        r = radius * self.focal / depth[0]
        x, y = pixel[0]
        return -r < x < self.width + r and -r < y < self.height + r
