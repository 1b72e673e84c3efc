"""Textures, noise and backgrounds of the drawn worlds. Pictures are float32, BGR, 0 to 255, [height, width, 3]."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import cv2
import numpy as np

# Photographs with a free licence (see models/NOTICE.md), read from the packages where these are installed.
PHOTOGRAPHS = {
    "skimage": ["brick.png", "grass.png", "gravel.png", "coffee.png", "rocket.jpg", "chelsea.png", "camera.png"],
    "sklearn": ["images/china.jpg", "images/flower.jpg"],
}
DATA_FOLDERS = {"skimage": "data", "sklearn": "datasets"}


@cache
def photographs() -> list[np.ndarray]:
    """Photographs in the installed packages, uint8 BGR; [] when none is installed."""
    found = []
    for package, names in PHOTOGRAPHS.items():
        spec = importlib.util.find_spec(package)
        if not spec or not spec.origin:
            continue
        for name in names:
            picture = cv2.imread(str(Path(spec.origin).parent / DATA_FOLDERS[package] / name), cv2.IMREAD_COLOR)
            if picture is not None:
                found.append(picture)
    return found


def noise(rng: np.random.Generator, height: int, width: int, octaves: int = 4, coarse: int = 3) -> np.ndarray:
    """Smooth noise of several scales, [height, width], mean about 0, standard deviation about 1."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        side = coarse * 2**octave
        grid = rng.standard_normal((side, max(2, side * width // height))).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    return total / max(float(total.std()), 1e-3)


def colour(rng: np.random.Generator, saturation: float = 1.0) -> np.ndarray:
    """Random colour, BGR [3]: mostly dull, sometimes bright, like clothes, paint and walls."""
    hue, value = rng.uniform(0, 180), rng.uniform(20, 235)
    strength = 255 * saturation * rng.beta(0.9, 1.8)
    pixel = np.array([[[hue, strength, value]]], np.float32).astype(np.uint8)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)


def pattern(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Cloth or paint pattern, [height, width], -1 to 1: plain, folds, stripes, checks or a crop of a photograph."""
    kind = rng.choice(["plain", "folds", "stripes", "checks", "photograph"], p=[0.25, 0.35, 0.15, 0.1, 0.15])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if kind == "plain":
        return np.zeros((height, width), np.float32)
    if kind == "folds":
        return np.clip(noise(rng, height, width, 4, 4) * 0.35, -1, 1)
    period = max(3.0, height * rng.uniform(0.03, 0.12))
    if kind == "stripes":
        along = x if rng.random() < 0.4 else y
        return np.sign(np.sin(along * (2 * np.pi / period))) * np.float32(rng.uniform(0.2, 0.9))
    if kind == "checks":
        waves = np.sin(x * (2 * np.pi / period)) * np.sin(y * (2 * np.pi / period))
        return np.sign(waves) * np.float32(rng.uniform(0.2, 0.7))
    if not photographs():
        return noise(rng, height, width, 5, 6).clip(-2, 2) / 2
    piece = cv2.cvtColor(photograph_piece(rng, height, width).astype(np.uint8), cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.clip((piece - piece.mean()) / max(float(piece.std()) * 2, 8), -1, 1)


def photograph_piece(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Random crop of a random photograph, scaled to the given size, mirrored half of the time."""
    picture = photographs()[rng.integers(len(photographs()))]
    rows, columns = picture.shape[:2]
    side = int(min(rows, columns) * rng.uniform(0.25, 1.0))
    top, left = rng.integers(rows - side + 1), rng.integers(columns - side + 1)
    piece = cv2.resize(picture[top : top + side, left : left + side], (width, height), interpolation=cv2.INTER_AREA)
    return (piece[:, ::-1] if rng.random() < 0.5 else piece).astype(np.float32)


def surface(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Wall, lawn, floor or table: a colour with noise, tiles or a photograph in it."""
    base = colour(rng, 0.6)
    grain = noise(rng, height, width, 6, 3) * rng.uniform(2, 16)
    result = base + grain[..., None] * rng.uniform(0.6, 1.4, 3).astype(np.float32)
    if photographs() and rng.random() < 0.35:
        result = result * 0.4 + photograph_piece(rng, height, width) * 0.6
    if rng.random() < 0.4:
        step, line = int(rng.integers(8, 60)), float(rng.uniform(-45, 45))
        result[::step] += line
        result[:, :: int(step * rng.uniform(0.6, 2.5)) + 1] += line
    return result


def in_perspective(picture: np.ndarray, horizon: int, height: int) -> np.ndarray:
    """Project a surface onto the ground plane. `picture` fills rows `horizon` to `height`."""
    rows, columns = picture.shape[:2]
    squeeze = 0.32
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    inner = columns * squeeze
    target = np.array([[0, 0], [columns, 0], [columns + inner, rows], [-inner, rows]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    return cv2.warpPerspective(picture, matrix, (columns, height - horizon), borderMode=cv2.BORDER_REFLECT)


def backdrop(rng: np.random.Generator, height: int, width: int, horizon: int) -> np.ndarray:
    """Empty scene: ground below the horizon, walls and sky above, with poles, bushes and marks."""
    ground = surface(rng, height - horizon, width)
    scene = np.empty((height, width, 3), np.float32)
    scene[horizon:] = in_perspective(ground, horizon, height) if horizon else ground
    if horizon:
        scene[:horizon] = surface(rng, horizon, width)
    for _ in range(int(rng.integers(0, 9))):
        add_clutter(rng, scene, horizon)
    light = 1 + 0.18 * noise(rng, height, width, 2, 2)
    if rng.random() < 0.4:
        light *= np.where(noise(rng, height, width, 3, 2) > rng.uniform(0.2, 1.2), rng.uniform(0.45, 0.8), 1)
    scene *= cv2.GaussianBlur(light.astype(np.float32), (0, 0), 2)[..., None]
    return np.clip(scene, 0, 255)


def add_clutter(rng: np.random.Generator, scene: np.ndarray, horizon: int) -> None:
    """Draw one background object: a wall, a line on the road, a bush or a polygon."""
    height, width = scene.shape[:2]
    kind = rng.integers(4)
    x, y = int(rng.integers(width)), int(rng.integers(max(1, horizon), height))
    w, h = int(width * rng.uniform(0.02, 0.3)), int(height * rng.uniform(0.04, 0.35))
    paint = colour(rng, 0.7).tolist()
    if kind == 0:
        top, left = max(0, y - h), max(0, x - w // 2)
        patch = scene[top:y, left : left + w]
        if patch.size:
            patch[:] = surface(rng, *patch.shape[:2])
    elif kind == 1:
        cv2.line(scene, (x, y), (int(rng.integers(width)), int(rng.integers(height))), paint, int(rng.integers(1, 9)))
    elif kind == 2:
        for _ in range(14):
            centre = (int(x + rng.normal(0, w / 3)), int(y - h / 3 + rng.normal(0, h / 4)))
            cv2.circle(scene, centre, int(3 + rng.uniform(0, h / 4)), (np.array(paint) * rng.uniform(0.6, 1.3)).tolist(), -1)
    else:
        points = np.stack([x + rng.normal(0, w, 5), y + rng.normal(0, h / 2, 5)], 1).astype(np.int32)
        cv2.fillPoly(scene, [cv2.convexHull(points)], paint)
