"""Sprites of people with jointed limbs, cars, animals and solid shapes.

A sprite is a map of parts, each with a paint. `Appearance` is constant for an object, `Pose` changes from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from training.worlds.pixels.textures import colour, pattern

PARTS = 12
SKIN, HAIR, TOP, TROUSERS, SHOES, SLEEVES, BAG, TRIM, GLASS, DARK = range(1, 11)
SUPERSAMPLE_BELOW_PX = 160


@dataclass(frozen=True)
class Pose:
    """Pose of an object in one frame.

    phase of the gait in rad; view in rad (0: facing the camera, pi/2: facing right); stride 0 to 1.3; lean in degrees.
    """

    phase: float = 0.0
    view: float = 1.57
    stride: float = 1.0
    lean: float = 0.0


class Appearance:
    """Identity of an object: kind, proportions, paints and patterns of its parts."""

    def __init__(self, rng: np.random.Generator, kind: str):
        self.kind = kind
        self.shape = rng.uniform(0, 1, 16)
        self.paint = np.stack([np.zeros(3, np.float32)] + [colour(rng) for _ in range(PARTS - 1)])
        tone = rng.uniform(0.25, 1)
        self.paint[SKIN] = np.array([150, 180, 225], np.float32) * tone
        self.paint[HAIR] = np.array([60, 80, 110], np.float32) * rng.uniform(0.1, 1.5) * rng.uniform(0.8, 1.2, 3)
        self.paint[SHOES] *= 0.6
        self.paint[GLASS] = np.array([70, 60, 50], np.float32) * rng.uniform(0.5, 2.4)
        self.paint[DARK] = rng.uniform(15, 60)
        self.paint[SLEEVES] = self.paint[TOP] * 0.92 if rng.random() < 0.75 else self.paint[SKIN]
        if rng.random() < 0.12:
            self.paint[TROUSERS] = self.paint[TOP]
        self.patterns = np.stack([pattern(rng, 96, 64) for _ in range(2)])
        self.strength = np.zeros(PARTS, np.float32)
        self.strength[[TOP, SLEEVES, TROUSERS, BAG]] = rng.uniform(10, 70, 4)
        self.aspect = aspect_of(kind, self.shape)


def aspect_of(kind: str, shape: np.ndarray) -> float:
    """Width / height of the canvas on which a kind of object is drawn."""
    return {"person": 0.9, "car": 2.2 + shape[0], "animal": 1.5 + shape[0] * 0.5}.get(kind, 0.5 + 1.5 * shape[0])


def draw(appearance: Appearance, pose: Pose, height_px: float, light: float) -> tuple[np.ndarray, np.ndarray]:
    """Picture (premultiplied, float32 BGR 0–255) and alpha (0–1) of an object whose canvas is `height_px` high."""
    factor = 2 if height_px < SUPERSAMPLE_BELOW_PX else 1
    rows = max(4, round(height_px)) * factor
    columns = max(4, round(height_px * appearance.aspect)) * factor
    parts = np.zeros((rows, columns), np.uint8)
    DRAWERS.get(appearance.kind, draw_solid)(Pen(parts, rows, columns), appearance, pose)
    if pose.lean:
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), pose.lean, 1)
        parts = cv2.warpAffine(parts, turn, (columns, rows), flags=cv2.INTER_NEAREST)
    picture = shade(parts, appearance, pose, light)
    alpha = (parts > 0).astype(np.float32)
    picture *= alpha[..., None]
    if factor > 1:
        size = (columns // factor, rows // factor)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    else:
        picture, alpha = cv2.blur(picture, (2, 2)), cv2.blur(alpha, (2, 2))
    return picture, alpha


def shade(parts: np.ndarray, appearance: Appearance, pose: Pose, light: float) -> np.ndarray:
    """Paint each part, with patterns, darker edges and light from one side (`light`: −1 left to 1 right)."""
    rows, columns = parts.shape
    picture = appearance.paint[parts]
    which = appearance.patterns[0 if np.cos(pose.view) >= 0 else 1]
    grain = cv2.resize(which, (columns, rows), interpolation=cv2.INTER_LINEAR) * appearance.strength[parts]
    picture += grain[..., None]
    solid = (parts > 0).astype(np.float32)
    width = max(3, int(rows * 0.06) | 1)
    inner = cv2.blur(solid, (width, width))
    side = np.linspace(-1, 1, columns, dtype=np.float32)[None] * light * 0.35
    picture *= ((0.55 + 0.5 * inner) * (1 + side))[..., None]
    return np.clip(picture, 0, 255)


class Pen:
    """Draws on a map of parts in units of the canvas height; x is measured from the middle of the canvas."""

    def __init__(self, parts: np.ndarray, rows: int, columns: int):
        self.parts, self.unit, self.middle = parts, rows, columns / 2

    def points(self, points: ArrayLike) -> np.ndarray:
        """Convert points (n, 2) to pixels with 4 fractional bits, int32."""
        scaled = np.asarray(points, np.float64) * self.unit
        scaled[:, 0] += self.middle
        return np.round(scaled * 16).astype(np.int32)

    def polygon(self, part: int, points: ArrayLike) -> None:
        """Fill a polygon of points (n, 2) with a part."""
        cv2.fillPoly(self.parts, [self.points(points)], part, shift=4)

    def disc(self, part: int, x: float, y: float, rx: float, ry: float | None = None, angle: float = 0) -> None:
        """Fill an ellipse with radii rx and ry (default rx), turned by `angle` degrees."""
        centre = tuple(int(v) for v in self.points([[x, y]])[0])
        axes = (int(rx * self.unit * 16), int((ry or rx) * self.unit * 16))
        cv2.ellipse(self.parts, centre, axes, angle, 0, 360, part, -1, shift=4)

    def limb(self, part: int, start: ArrayLike, end: ArrayLike, r0: float, r1: float) -> None:
        """Fill a tapered bar with round ends of radius r0 and r1."""
        a, b = np.asarray(start, float), np.asarray(end, float)
        along = b - a
        across = np.array([-along[1], along[0]]) / max(1e-6, float(np.hypot(*along)))
        self.polygon(part, [a + across * r0, b + across * r1, b - across * r1, a - across * r0])
        self.disc(part, a[0], a[1], r0)
        self.disc(part, b[0], b[1], r1)


def joint(origin: ArrayLike, angle: float, length: float) -> np.ndarray:
    """End of a bone of `length` that hangs from `origin`, swung by `angle` (rad; 0: straight down, positive: right)."""
    return np.asarray(origin, float) + length * np.array([np.sin(angle), np.cos(angle)])


def draw_person(pen: Pen, appearance: Appearance, pose: Pose) -> None:
    """Draw a person: far arm, legs, torso, clothes, head, near arm, bags."""
    s = appearance.shape
    side, front = abs(np.sin(pose.view)), abs(np.cos(pose.view))
    facing = 1 if np.sin(pose.view) >= 0 else -1
    swing = 0.55 * pose.stride * np.sin(pose.phase)
    build = 0.8 + 0.5 * s[0]
    shoulder, hip = np.array([0.0, 0.205]), np.array([0.0, 0.51])
    half = build * (0.062 * side + 0.105 * front)
    hips = build * (0.055 * side + 0.08 * front)
    legs = [(-1, swing), (1, -swing)]
    arms = [(-1, -swing * 0.8), (1, swing * 0.8)]
    draw_arm(pen, appearance, shoulder, arms[0], half, side, facing, build)
    for sign, angle in legs:
        draw_leg(pen, hip, sign * hips * 0.55 * front, angle, side, facing, build, pose.stride, s)
    pen.polygon(TOP, [[-half, 0.2], [half, 0.2], [hips * 1.05, 0.53], [-hips * 1.05, 0.53]])
    pen.limb(TOP, [-half * 0.75, 0.205], [half * 0.75, 0.205], 0.035, 0.035)
    if s[1] < 0.2:
        flare = hips * (1.2 + s[2])
        pen.polygon(TROUSERS if s[3] < 0.6 else TOP, [[-hips, 0.48], [hips, 0.48], [flare, 0.72], [-flare, 0.72]])
    if s[4] < 0.3:
        pen.polygon(TRIM, [[-half * 0.3, 0.2], [half * 0.3, 0.2], [half * 0.35, 0.5], [-half * 0.35, 0.5]])
    pen.limb(SKIN, [0, 0.17], [0, 0.2], 0.028, 0.035)
    draw_head(pen, s, pose, facing, side)
    if s[5] < 0.3:
        pen.disc(BAG, -facing * half * (0.9 * side + 0.1), 0.33, 0.05 + 0.02 * s[6], 0.1)
    draw_arm(pen, appearance, shoulder, arms[1], half, side, facing, build)
    if s[7] < 0.22:
        pen.polygon(BAG, np.array([[-0.05, 0], [0.05, 0], [0.06, 0.13], [-0.06, 0.13]]) + [half + 0.02, 0.47])


def draw_head(pen: Pen, s: np.ndarray, pose: Pose, facing: int, side: float) -> None:
    """Draw hair, face and hat."""
    pen.disc(HAIR, 0, 0.08, 0.056 + 0.012 * s[8], 0.072)
    if np.cos(pose.view) > -0.3:
        pen.disc(SKIN, facing * 0.014 * side, 0.095, 0.046, 0.058)
    if s[9] < 0.25:
        pen.limb(TRIM, [-0.05, 0.05], [0.05 + 0.03 * side * facing, 0.05], 0.028, 0.02)
    if s[10] < 0.25:
        pen.disc(HAIR, -facing * 0.03 * side, 0.13, 0.045, 0.085)


def draw_arm(
    pen: Pen,
    appearance: Appearance,
    shoulder: np.ndarray,
    arm: tuple[int, float],
    half: float,
    side: float,
    facing: int,
    build: float,
) -> None:
    """Draw upper arm, forearm and hand; `arm` is (sign of the side, angle in rad)."""
    sign, angle = arm
    start = shoulder + [sign * half * (1 - 0.85 * side), 0.012]
    bend = 0.35 * side + 0.1 + appearance.shape[11] * 0.5 * (sign > 0)
    elbow = joint(start, angle * side * facing + sign * 0.12 * (1 - side), 0.165)
    hand = joint(elbow, (angle * side + bend * side) * facing + sign * 0.05 * (1 - side), 0.15)
    pen.limb(SLEEVES, start, elbow, 0.032 * build, 0.026 * build)
    pen.limb(SLEEVES if appearance.shape[12] < 0.7 else SKIN, elbow, hand, 0.026 * build, 0.02)
    pen.disc(SKIN, hand[0], hand[1], 0.022)


def draw_leg(
    pen: Pen, hip: np.ndarray, offset: float, angle: float, side: float, facing: int, build: float, stride: float, s: np.ndarray
) -> None:
    """Draw thigh, shin and shoe; `angle` in rad swings the leg from the hip."""
    knee_bend = max(0.0, -angle) * 1.1 * min(1, stride)
    start = hip + [offset, 0]
    knee = joint(start, angle * side * facing, 0.225)
    lift = 0.02 * stride * np.sin(angle * 2) * (1 - side)
    foot = joint(knee, (angle - knee_bend) * side * facing, 0.215 + lift)
    pen.limb(TROUSERS, start, knee, 0.048 * build, 0.038 * build)
    pen.limb(TROUSERS if s[13] < 0.8 else SKIN, knee, foot, 0.036 * build, 0.024)
    toe = foot + [facing * 0.05 * side, 0.018]
    pen.limb(SHOES, foot + [0, 0.012], toe, 0.024, 0.02)


def draw_car(pen: Pen, appearance: Appearance, pose: Pose) -> None:
    """Draw a car from the side."""
    s, facing = appearance.shape, 1 if np.sin(pose.view) >= 0 else -1
    half = appearance.aspect / 2 * 0.94
    nose, tail, belt = 0.45 + 0.15 * s[1], 0.5 - 0.3 * s[2], 0.5
    front, rear = half * (0.2 + 0.25 * s[3]), -half * (0.55 + 0.42 * s[4])
    body = [
        [-half, 0.85],
        [-half, tail + 0.1],
        [rear, belt - 0.1],
        [front + 0.3 * half, belt - 0.03],
        [half * 0.97, nose + 0.05],
        [half, 0.85],
    ]
    roof = [[rear, belt], [rear + 0.12 * half, 0.08], [front - 0.1, 0.07], [front + 0.32 * half, belt]]
    glass = [
        [rear + 0.07 * half, belt - 0.02],
        [rear + 0.17 * half, 0.14],
        [front - 0.12, 0.13],
        [front + 0.2 * half, belt - 0.02],
    ]
    turn = np.array([facing, 1.0])
    for part, outline in ((TOP, roof), (GLASS, glass), (TOP, body)):
        pen.polygon(part, np.array(outline) * turn)
    pillar = (rear + front) / 2
    pen.polygon(TOP, np.array([[pillar - 0.02, 0.1], [pillar + 0.03, 0.1], [pillar + 0.03, 0.5], [pillar - 0.02, 0.5]]) * turn)
    for x in (-half * 0.62, half * 0.62):
        pen.disc(DARK, x * facing, 0.83, 0.155)
        pen.disc(TRIM, x * facing, 0.83, 0.08)
    pen.disc(TRIM, half * 0.93 * facing, nose + 0.14, 0.04)


def draw_animal(pen: Pen, appearance: Appearance, pose: Pose) -> None:
    """Draw a four-legged animal from the side."""
    s, facing = appearance.shape, 1 if np.sin(pose.view) >= 0 else -1
    half = appearance.aspect * 0.27
    swing = 0.5 * pose.stride * np.sin(pose.phase)
    for x, angle in ((-half, swing), (-half * 0.8, -swing), (half * 0.85, swing), (half, -swing)):
        knee = joint([x * facing, 0.55], angle * facing, 0.2)
        pen.limb(TOP, [x * facing, 0.52], knee, 0.07, 0.045)
        pen.limb(TOP if s[1] < 0.7 else TRIM, knee, joint(knee, 0.4 * angle * facing, 0.2), 0.042, 0.035)
    girth = 0.13 + 0.08 * s[2]
    pen.limb(TOP, [-half * facing, 0.45], [half * facing, 0.42], girth, girth * 1.1)
    if s[3] < 0.4:
        pen.disc(TRIM, 0, 0.44, girth, girth * 0.8)
    head = np.array([half * 1.5 * facing, 0.2 + 0.1 * s[4]])
    pen.limb(TOP, [half * facing, 0.4], head, girth * 0.8, 0.09)
    pen.limb(TOP, head, head + [0.16 * facing, 0.05], 0.09, 0.05)
    pen.limb(TRIM, head - [0.04 * facing, 0.05], head - [0.07 * facing, 0.12], 0.03, 0.02)
    tail = [-half * facing * (1.4 + 0.4 * s[5]), 0.2 + 0.4 * s[6]]
    pen.limb(TOP, [-half * facing, 0.4], tail, 0.035, 0.02)


def draw_solid(pen: Pen, appearance: Appearance, pose: Pose) -> None:
    """Draw a ball, a box seen from a corner, a can, a vehicle from above, or a blob; `view` turns it."""
    s, half = appearance.shape, appearance.aspect / 2 * 0.95
    if appearance.kind == "ball":
        pen.disc(TOP, 0, 0.5, min(0.48, half))
        if s[1] < 0.5:
            pen.disc(TRIM, 0.2 * np.cos(pose.phase), 0.5 + 0.2 * np.sin(pose.phase), min(0.48, half) * 0.4)
    elif appearance.kind == "box":
        cut, skew = half * (0.2 + 1.4 * (0.5 + 0.4 * np.sin(pose.view))), 0.05 + 0.2 * s[2]
        edge = -half + cut
        pen.polygon(TOP, [[-half, 0.04 + skew], [edge, 0.04 + 2 * skew], [edge, 0.96], [-half, 0.96 - skew]])
        pen.polygon(
            TROUSERS if s[3] < 0.3 else SLEEVES, [[edge, 0.04 + 2 * skew], [half, 0.04 + skew], [half, 0.96 - skew], [edge, 0.96]]
        )
        pen.polygon(TRIM if s[3] < 0.3 else TOP, [[-half, 0.04 + skew], [0, 0.04], [half, 0.04 + skew], [edge, 0.04 + 2 * skew]])
    elif appearance.kind == "can":
        width = half * 0.8
        pen.polygon(TOP, [[-width, 0.12], [width, 0.12], [width * (0.4 + 0.6 * s[1]), 0.9], [-width * (0.4 + 0.6 * s[1]), 0.9]])
        pen.disc(TOP, 0, 0.9, width * (0.4 + 0.6 * s[1]), 0.07)
        pen.disc(TRIM, 0, 0.12, width, 0.08)
    elif appearance.kind == "roof":
        for part, sx, y0, y1 in ((TOP, 1, 0.04, 0.96), (GLASS, 0.8, 0.25, 0.38), (GLASS, 0.75, 0.8, 0.87)):
            corners = np.array([[-half * sx, y0], [half * sx, y0], [half * sx, y1], [-half * sx, y1]])
            pen.polygon(part, corners * [0.55, 1])
    else:
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False) + pose.view * 0.3
        radius = 0.3 + 0.09 * np.sin(angles * 2 + s[1] * 6) + 0.08 * np.sin(angles * 3 + s[2] * 6 + pose.phase * 0.1)
        outline = np.stack([np.cos(angles) * radius * half * 2.2, 0.5 + np.sin(angles) * radius * 1.15], 1)
        pen.polygon(TOP, outline)
        pen.polygon(BAG, 0.5 * (outline - [0, 0.5]) + [0.1 * s[3], 0.45])


DRAWERS = {"person": draw_person, "car": draw_car, "animal": draw_animal}
KINDS = ["person", "car", "animal", "ball", "box", "can", "roof", "blob"]
