"""Drawn scenes of people, cars, animals and things that walk, stop, turn, hide and leave, with exact masks and ids.

python -m training.worlds.pixels.street --seed 3 --out sheet.png     # draws frames of six scenes
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import cv2
import numpy as np

from training.worlds.pixels.sprites import KINDS, Appearance, Pose, draw
from training.worlds.pixels.textures import backdrop, noise

SIZES = [(768, 576), (640, 480), (640, 360), (704, 576), (960, 540), (512, 384)]
STEP_HZ = 4
Region = tuple[slice, slice]
VISIBLE_SHARE = 0.3


@dataclass
class Actor:
    """One object over the whole scene: foot positions [T, 2] px on the backdrop, canvas heights [T] px, poses, motion [T]."""

    id: int
    appearance: Appearance
    feet: np.ndarray
    heights: np.ndarray
    poses: list[Pose]
    moving: np.ndarray


@dataclass
class Frame:
    """One frame with its truth.

    picture: uint8 BGR. ids: uint8 [height, width], the id of the object visible at a pixel, 0 = none. whole: area in px of the
    full outline of each object, including occluded pixels.
    """

    picture: np.ndarray
    ids: np.ndarray
    whole: dict[int, float]


@dataclass
class Clip:
    """Frames of a scene at its rate (default 4 Hz) and its events (type, index of the frame, id)."""

    frames: list[Frame]
    events: list[tuple[str, int, int]] = field(default_factory=list)


class Street:
    """Scene drawn from a seed: the same seed, length and frame rate give the same pixels."""

    def __init__(self, seed: int, length: int = 40, hz: int = STEP_HZ):
        self.rng = rng = np.random.default_rng([seed, 2026])
        self.length, self.hz = length, hz
        self.width, self.height = SIZES[rng.integers(len(SIZES))]
        self.top_down = rng.random() < 0.25
        self.horizon = 0 if self.top_down else int(self.height * rng.uniform(0.02, 0.4))
        self.sway = self.camera_path()
        margin = int(np.abs(self.sway).max()) + 2
        self.margin = margin
        size = (self.height + 2 * margin, self.width + 2 * margin)
        self.ground = backdrop(rng, *size, self.horizon + (margin if self.horizon else 0))
        self.shade = 1 + 0.12 * noise(rng, *size, 2, 2).clip(-2, 2)
        self.light = rng.uniform(-1, 1)
        self.shadow = rng.uniform(0.35, 0.9)
        self.shadow_lean = rng.uniform(-1.2, 1.2)
        tallest = self.height * (rng.uniform(0.1, 0.3) if self.top_down else rng.choice([0.14, 0.25, 0.4, 0.6]))
        self.tallest = max(26.0, float(tallest))
        (warm, cold), (early, late) = rng.normal(1, 0.06, (2, 3)), rng.uniform(0.6, 1.25, 2)
        self.tint = np.linspace(warm, cold, length) * np.linspace(early, late, length)[:, None]
        self.quality = self.draw_quality()
        self.actors = [self.actor(index + 1) for index in range(int(rng.integers(3, 15)))]
        self.posts = self.draw_posts()

    def camera_path(self) -> np.ndarray:
        """Offsets [T, 2] in px of a still, shaken or slowly panned camera."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.6:
            return np.zeros((self.length, 2))
        if kind < 0.8:
            return rng.normal(0, rng.uniform(0.5, 4), (self.length, 2))
        return np.linspace(-1, 1, self.length)[:, None] * rng.normal(0, 40, 2)

    def draw_quality(self) -> dict[str, float]:
        """Parameters of the degradation by lens, sensor and codec."""
        rng = self.rng
        return {
            "blur": max(0.0, rng.normal(0.5, 0.5)),
            "noise": rng.uniform(0, 9) * (rng.random() < 0.7),
            "jpeg": int(rng.integers(28, 95)),
            "gamma": rng.uniform(0.75, 1.35),
            "contrast": rng.uniform(0.6, 1.1),
            "grey": float(rng.random() < 0.1),
        }

    def scale(self, y: float) -> float:
        """Height in px of a person whose feet are at row `y`."""
        if self.top_down:
            return self.tallest
        return self.tallest * (0.22 + 0.78 * max(0.0, (y - self.horizon) / max(1, self.height - self.horizon)))

    def place(self, outside: bool) -> np.ndarray:
        """Random point on the ground, or just beyond the left or right edge."""
        rng = self.rng
        y = rng.uniform(self.horizon + (self.height - self.horizon) * 0.12, self.height * 1.08)
        x = rng.uniform(0.03, 0.97) * self.width
        if outside:
            reach = self.scale(y) * 0.8
            x = -reach if rng.random() < 0.5 else self.width + reach
        return np.array([x, y])

    def actor(self, number: int) -> Actor:
        """Draw an object with a path of walks and pauses between places."""
        rng = self.rng
        weights = (
            [0.05, 0.1, 0.05, 0.2, 0.2, 0.1, 0.15, 0.15] if self.top_down else [0.66, 0.12, 0.07, 0.03, 0.03, 0.03, 0.0, 0.06]
        )
        appearance = Appearance(rng, str(rng.choice(KINDS, p=weights)))
        relative = {"person": rng.uniform(0.85, 1.1), "car": rng.uniform(0.8, 1.1), "animal": rng.uniform(0.3, 0.8)}.get(
            appearance.kind, rng.uniform(0.3, 1)
        )
        here, feet, heights, poses, moving = self.place(rng.random() < 0.35), [], [], [], []
        wait = int(rng.integers(0, 12)) * (rng.random() < 0.5) * self.hz // STEP_HZ
        goal, phase, view = None, rng.uniform(0, 6), rng.uniform(0, 6.28)
        pace = rng.uniform(0.5, 1.1) * {"car": 2.0, "person": 0.75}.get(appearance.kind, 1.0)
        lean = float(rng.choice([0, rng.normal(0, 4), rng.uniform(60, 120)], p=[0.7, 0.27, 0.03]))
        for _ in range(self.length):
            size = self.scale(here[1]) * relative
            if wait > 0:
                wait -= 1
                walking = False
            else:
                goal = self.place(rng.random() < 0.3) if goal is None else goal
                along = goal - here
                stride = pace * size / self.hz
                walking = True
                if np.hypot(*along) <= stride:
                    goal, wait = None, int(rng.integers(3, 16)) * (rng.random() < 0.6) * self.hz // STEP_HZ
                else:
                    view = np.arctan2(along[0], along[1] * 1.5 + 1e-6)
                    here = here + along / np.hypot(*along) * stride * (1.0, 0.8)
                    phase += 1.57 * pace * rng.uniform(0.7, 1.3) * STEP_HZ / self.hz
            feet.append(here.copy())
            heights.append(size)
            poses.append(Pose(phase, view, pace * 0.9 if walking else 0.12, lean))
            moving.append(walking)
        return Actor(number, appearance, np.array(feet), np.array(heights), poses, np.array(moving))

    def draw_posts(self) -> list[Actor]:
        """Draw objects that stand in front and hide others but belong to the background (id 0)."""
        rng, posts = self.rng, []
        for _ in range(int(rng.integers(0, 4)) * (not self.top_down)):
            appearance = Appearance(rng, str(rng.choice(["box", "can", "blob"])))
            appearance.shape[0], appearance.aspect = 0, float(rng.uniform(0.1, 0.7))
            feet = np.repeat(self.place(False)[None], self.length, 0)
            height = self.scale(feet[0, 1]) * rng.uniform(0.4, 1.8)
            posts.append(
                Actor(0, appearance, feet, np.full(self.length, height), [Pose()] * self.length, np.zeros(self.length, bool))
            )
        return posts

    def frame(self, index: int) -> Frame:
        """Render frame `index`."""
        canvas, ids = self.ground.copy(), np.zeros(self.ground.shape[:2], np.uint8)
        whole: dict[int, float] = {}
        for actor in sorted(self.actors + self.posts, key=lambda a: a.feet[index, 1]):
            picture, alpha = draw(actor.appearance, actor.poses[index], float(actor.heights[index]), self.light)
            foot = actor.feet[index] + self.margin
            if actor.id:
                self.cast_shadow(canvas, alpha, foot)
            whole[actor.id] = float((alpha > 0.5).sum())
            paste(canvas, ids, picture, alpha, foot, actor.id)
        whole.pop(0, None)
        x, y = np.round(self.margin + self.sway[index]).astype(int)
        view = (slice(max(0, y), max(0, y) + self.height), slice(max(0, x), max(0, x) + self.width))
        seen = canvas[view] * self.shade[view][..., None] * self.tint[index]
        return Frame(self.degrade(seen.astype(np.float32)), ids[view].copy(), whole)

    def cast_shadow(self, canvas: np.ndarray, alpha: np.ndarray, foot: np.ndarray) -> None:
        """Darken the canvas where the object at `foot` (px) casts its shadow."""
        rows, columns = alpha.shape
        flat = cv2.warpAffine(
            alpha,
            np.array([[1, -self.shadow_lean * 0.6, self.shadow_lean * 0.6 * rows + columns / 2], [0, 0.3, 0]], np.float32),
            (columns * 2, max(2, int(rows * 0.3))),
        )
        soft = cv2.blur(flat, (3, 3)) * (1 - self.shadow)
        top, left = int(foot[1] - flat.shape[0] + 1), int(foot[0] - columns)
        window, region = overlap(canvas.shape, flat.shape, top, left)
        if window:
            canvas[window] *= (1 - soft[region])[..., None]

    def degrade(self, picture: np.ndarray) -> np.ndarray:
        """Apply blur, gamma, contrast, noise and JPEG compression."""
        q = self.quality
        if q["blur"] > 0.25:
            picture = cv2.GaussianBlur(picture, (0, 0), q["blur"])
        picture = (picture / 255).clip(0, 1) ** q["gamma"] * 255
        picture = (picture - 110) * q["contrast"] + 110
        if q["grey"]:
            picture = np.repeat(picture.mean(2, keepdims=True), 3, 2)
        if q["noise"]:
            grain = np.empty(picture.shape[:2], np.float32)
            cv2.setRNGSeed(int(self.rng.integers(1 << 30)))
            cv2.randn(grain, 0, q["noise"])
            picture = picture + grain[..., None]
        coded = cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, q["jpeg"]])[1]
        return cv2.imdecode(coded, cv2.IMREAD_COLOR)

    def clip(self) -> Clip:
        """Render all frames and derive their events."""
        frames = [self.frame(index) for index in range(self.length)]
        return Clip(frames, self.events(frames))

    def events(self, frames: list[Frame]) -> list[tuple[str, int, int]]:
        """Return enter and exit (a third of the outline visible), start and stop (after 1 s of the opposite state)."""
        found = []
        for actor in self.actors:
            seen = np.array([(f.ids == actor.id).sum() > VISIBLE_SHARE * f.whole[actor.id] for f in frames])
            x = actor.feet[:, 0]
            near_edge = (x < actor.heights) | (x > self.width - actor.heights)
            for index in range(1, self.length):
                if seen[index] != seen[index - 1] and near_edge[index]:
                    found.append(("enter" if seen[index] else "exit", index, actor.id))
                before = actor.moving[max(0, index - self.hz) : index]
                if seen[index] and len(before) == self.hz and np.all(before != actor.moving[index]):
                    found.append(("start" if actor.moving[index] else "stop", index, actor.id))
        return sorted(found, key=lambda event: event[1])


def overlap(canvas: tuple[int, ...], piece: tuple[int, ...], top: int, left: int) -> tuple[Region, Region] | tuple[None, None]:
    """Index pairs of the canvas and of the piece where a piece at (top, left) lies on the canvas, or (None, None)."""
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(canvas[0], top + piece[0]), min(canvas[1], left + piece[1])
    if y1 <= y0 or x1 <= x0:
        return None, None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def paste(canvas: np.ndarray, ids: np.ndarray, picture: np.ndarray, alpha: np.ndarray, foot: np.ndarray, number: int) -> None:
    """Draw a sprite with its bottom middle at `foot`."""
    rows, columns = alpha.shape
    window, region = overlap(ids.shape, alpha.shape, int(round(foot[1])) - rows, int(round(foot[0])) - columns // 2)
    if window:
        cover = alpha[region]
        canvas[window] = canvas[window] * (1 - cover[..., None]) + picture[region]
        ids[window][cover > 0.5] = number


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=6, help="scenes to show, one frame each")
    parser.add_argument("--out", default="sheet.png")
    options = parser.parse_args()
    tiles = []
    for seed in range(options.seed, options.seed + options.count):
        frame = Street(seed, 8).frame(4)
        edges = cv2.morphologyEx(frame.ids, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
        drawn = frame.picture.copy()
        drawn[edges] = (0, 255, 255)
        tiles.append(cv2.resize(np.hstack([frame.picture, drawn]), (1024, 384)))
    cv2.imwrite(options.out, np.vstack(tiles))


if __name__ == "__main__":
    main()
