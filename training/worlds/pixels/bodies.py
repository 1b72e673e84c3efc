"""Rigid convex bodies: geometry for the physics (PyBullet shapes) and for rendering (planes and quadrics)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

SHAPES = ("cube", "box", "sphere", "cylinder", "disc", "prism", "pyramid")
SHAPE_WEIGHTS = (0.27, 0.13, 0.25, 0.2, 0.05, 0.06, 0.04)
"""Probability of each shape, chosen by what is common on table tops."""


@dataclass
class Body:
    """One body: lengths in m, masses in kg, angles in rad; the local z axis points up when the body stands.

    half: half extents of the local bounding box. launch: time in s at which the body appears (0: it is there from the start).
    position, yaw, velocity and spin hold at that time. push: (time in s, velocity change in m/s) of a later change of motion.
    A fixed body does not move.
    """

    id: int
    shape: str
    half: tuple[float, float, float]
    colour: tuple[float, float, float]
    mass: float = 1.0
    friction: float = 0.3
    rolling: float = 0.004
    restitution: float = 0.3
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    lying: bool = False
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin: float = 0.0
    launch: float = 0.0
    push: tuple[float, tuple[float, float]] | None = None
    fixed: bool = False
    gloss: float = 0.0
    pattern: str = "plain"
    pattern_scale: float = 1.0
    pattern_depth: float = 0.0
    sides: int = 4
    _planes: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @property
    def round(self) -> bool:
        """Whether the surface is a sphere or a cylinder."""
        return self.shape in ("sphere", "cylinder", "disc")

    @property
    def radius(self) -> float:
        """Radius of the bounding sphere, m."""
        return self.half[0] if self.shape == "sphere" else float(np.linalg.norm(self.half))

    def vertices(self) -> np.ndarray:
        """Local points (n, 3) in m whose convex hull is the body; for round bodies, points on the surface."""
        a, b, c = self.half
        if self.shape in ("cube", "box"):
            s = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
            return s * self.half
        if self.shape == "sphere":
            n = np.arange(48) + 0.5
            phi, theta = np.arccos(1 - 2 * n / 48), np.pi * (1 + 5**0.5) * n
            return a * np.stack([np.cos(theta) * np.sin(phi), np.sin(theta) * np.sin(phi), np.cos(phi)], 1)
        turn = 2 * np.pi * np.arange(24 if self.round else self.sides) / (24 if self.round else self.sides)
        ring = np.stack([a * np.cos(turn), b * np.sin(turn)], 1)
        top = ring * (0.15 if self.shape == "pyramid" else 1.0)
        return np.concatenate([np.c_[ring, np.full(len(ring), -c)], np.c_[top, np.full(len(top), c)]])

    def planes(self) -> tuple[np.ndarray, np.ndarray]:
        """Outward normals (f, 3) and distances (f,) of the faces of a polyhedron: a point x is inside if n·x ≤ d for all."""
        if self._planes is None:
            from scipy.spatial import ConvexHull

            hull = ConvexHull(self.vertices())
            rows = np.unique(np.round(hull.equations, 6), axis=0)
            self._planes = rows[:, :3].astype(np.float32), (-rows[:, 3]).astype(np.float32)
        return self._planes


def rest_height(body: Body) -> float:
    """Height in m of the centre above the plane on which the body stands or lies."""
    return body.half[0] if body.shape == "sphere" or body.lying else body.half[2]


def draw_shape(rng: np.random.Generator, size: float) -> tuple[str, tuple[float, float, float], int, bool]:
    """Shape, half extents (m), number of sides and whether the body lies on its side, for a body of about `size` m."""
    shape = str(rng.choice(SHAPES, p=SHAPE_WEIGHTS))
    a = size / 2
    if shape in ("cube", "sphere"):
        return shape, (a, a, a), 4, False
    if shape == "box":
        x, y, z = a * rng.uniform(0.6, 1.5, 3)
        return shape, (x, y, z), 4, False
    if shape == "disc":
        return shape, (a, a, a * rng.uniform(0.25, 0.45)), 4, False
    if shape == "cylinder":
        return shape, (a, a, a * rng.uniform(0.8, 1.6)), 4, bool(rng.random() < 0.3)
    return shape, (a, a, a * rng.uniform(0.8, 1.3)), int(rng.integers(3, 7)), False
