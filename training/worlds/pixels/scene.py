"""Draws a table-top scene from its seed: bodies, camera, floor, light and image degradation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.worlds.pixels.bodies import Body, draw_shape, rest_height
from training.worlds.pixels.camera import Camera

SIZES = ((320, 240), (384, 288), (480, 270), (480, 320), (480, 360), (512, 384), (640, 360), (640, 480), (768, 576))
SIZE_WEIGHTS = (0.1, 0.1, 0.15, 0.25, 0.12, 0.08, 0.08, 0.08, 0.04)
RATES = (10, 12, 15, 20, 24, 25, 30)
FLOORS = ("plain", "noise", "wood", "tiles", "checks", "speckle")
PATTERNS = ("plain", "plain", "plain", "stripes", "checks", "noise", "halves")
PRESETS = ("ultrafast", "superfast", "veryfast")  # of x264: they differ in artefacts and speed
MAX_BODIES = 9
GRAVITY = 9.81


@dataclass
class Appearance:
    """Determines the picture together with the bodies. Colours are RGB 0–1; `light` points from the scene to the light."""

    floor: str
    floor_colours: tuple[tuple[float, float, float], tuple[float, float, float]]
    floor_scale: float
    wall: tuple[float, float, float]
    light: tuple[float, float, float]
    ambient: float
    shadow: float
    shadow_blur: float
    noise: float
    blur: float
    flicker: float
    vignette: float
    shake: float
    crf: int
    preset: str
    rugs: list[tuple[float, float, float, float, tuple[float, float, float]]] = field(default_factory=list)
    occluders: list[tuple[float, float, tuple[float, float, float]]] = field(default_factory=list)


@dataclass
class Scene:
    """One table-top scene. fps in frames per second; floor_friction is a factor of the friction of each body."""

    seed: int
    fps: float
    frames: int
    camera: Camera
    floor_friction: float
    bodies: list[Body]
    appearance: Appearance


def draw_scene(seed: int, duration: float = 10.0) -> Scene:
    """Return the scene of a seed. duration in s."""
    rng = np.random.default_rng(seed)
    fps = float(rng.choice(RATES, p=np.array([1, 1, 1.5, 1.5, 1, 3, 2]) / 11))
    camera = _camera(rng)
    appearance = _appearance(rng)
    bodies = _bodies(rng, camera, duration)
    return Scene(seed, fps, int(round(duration * fps)), camera, 1.0, bodies, appearance)


def _camera(rng: np.random.Generator) -> Camera:
    width, height = SIZES[int(rng.choice(len(SIZES), p=SIZE_WEIGHTS))]
    elevation, azimuth = np.radians(rng.uniform(18, 62)), rng.uniform(0, 2 * np.pi)
    distance, fov = rng.uniform(5.5, 11.0), np.radians(rng.uniform(36, 62))
    at = np.array([*rng.uniform(-0.6, 0.6, 2), rng.uniform(0.0, 0.4)])
    away = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    roll = np.radians(rng.normal(0, 1.5))
    return Camera.looking(at + distance * away, at, roll, width / 2 / np.tan(fov / 2), width, height)


def _colour(rng: np.random.Generator, vivid: bool) -> tuple[float, float, float]:
    """RGB 0–1; saturated if `vivid`, else pale or grey."""
    hue, value = rng.uniform(0, 1), rng.uniform(0.25, 0.95)
    grey = rng.random() < (0.12 if vivid else 0.5)
    saturation = rng.uniform(0, 0.1) if grey else rng.uniform(0.45, 1.0) if vivid else rng.uniform(0.05, 0.4)
    k = (np.array([5, 3, 1]) + hue * 6) % 6
    rgb = value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1)
    return float(rgb[0]), float(rgb[1]), float(rgb[2])


def _appearance(rng: np.random.Generator) -> Appearance:
    a = _colour(rng, False)
    contrast = rng.uniform(0.03, 0.25) * rng.choice([-1, 1])
    red, green, blue = (float(np.clip(c + contrast, 0.02, 0.98)) for c in a)
    height, turn = np.radians(rng.uniform(35, 80)), rng.uniform(0, 2 * np.pi)
    rugs = [
        (*rng.uniform(-3.5, 3.5, 2), *rng.uniform(0.2, 1.2, 2), _colour(rng, bool(rng.random() < 0.5)))
        for _ in range(int(rng.choice([0, 0, 0, 1, 2, 4])))
    ]
    occluders = [
        (rng.uniform(0.1, 0.9), rng.uniform(0.02, 0.09), _colour(rng, False))
        for _ in range(int(rng.choice([0, 1, 2], p=[0.85, 0.12, 0.03])))
    ]
    return Appearance(
        floor=str(rng.choice(FLOORS)),
        floor_colours=(a, (red, green, blue)),
        floor_scale=rng.uniform(0.3, 2.0),
        wall=_colour(rng, False),
        light=(np.cos(turn) * np.cos(height), np.sin(turn) * np.cos(height), np.sin(height)),
        ambient=rng.uniform(0.35, 0.7),
        shadow=float(rng.choice([0.0, rng.uniform(0.1, 0.6)], p=[0.15, 0.85])),
        shadow_blur=rng.uniform(0.5, 5.0),
        noise=float(rng.choice([0.0, rng.uniform(0.5, 7.0)], p=[0.3, 0.7])),
        blur=float(rng.choice([0.0, rng.uniform(0.3, 1.0)], p=[0.4, 0.6])),
        flicker=float(rng.choice([0.0, rng.uniform(0.005, 0.03)], p=[0.75, 0.25])),
        vignette=rng.uniform(0, 0.4),
        shake=float(rng.choice([0.0, rng.uniform(0.2, 1.0)], p=[0.93, 0.07])),
        crf=int(rng.integers(18, 33)),
        preset=str(rng.choice(PRESETS)),
        rugs=rugs,
        occluders=occluders,
    )


def _bodies(rng: np.random.Generator, camera: Camera, duration: float) -> list[Body]:
    scale = rng.uniform(0.35, 0.9)
    friction, rolling = rng.uniform(0.04, 0.3), rng.uniform(0.0005, 0.02)
    count = int(rng.integers(3, MAX_BODIES + 1))
    inside = int(rng.binomial(count, 0.45))
    bodies: list[Body] = []
    for i in range(count):
        shape, half, sides, lying = draw_shape(rng, scale * rng.uniform(0.6, 1.3))
        body = Body(
            i,
            shape,
            half,
            _colour(rng, True),
            friction=friction * rng.uniform(0.7, 1.4),
            rolling=rolling,
            restitution=rng.uniform(0.1, 0.8),
            yaw=rng.uniform(0, 2 * np.pi),
            lying=lying,
            sides=sides,
            gloss=float(rng.choice([0, rng.uniform(0.1, 0.6)])),
            pattern=str(rng.choice(PATTERNS)),
            pattern_scale=rng.uniform(2, 8),
            pattern_depth=rng.uniform(0.1, 0.5),
        )
        body.mass = float(8 * half[0] * half[1] * half[2] * rng.uniform(4, 12))
        placed = _place_inside(rng, camera, body, bodies) if i < inside else _throw_in(rng, camera, body, bodies, duration)
        if placed:
            body.id = len(bodies)
            bodies.append(body)
    if rng.random() < 0.08 and bodies:
        _fix_one(rng, bodies)
    return bodies


def _fix_one(rng: np.random.Generator, bodies: list[Body]) -> None:
    """Make one resting body immovable: others bounce off it. It stays an object with a box of its own."""
    resting = [b for b in bodies if b.launch == 0 and not any(b.velocity) and not b.push]
    if resting:
        resting[int(rng.integers(len(resting)))].fixed = True


def _clear(position: np.ndarray, body: Body, others: list[Body]) -> bool:
    return all(
        np.linalg.norm(position[:2] - np.array(o.position[:2])) > body.radius + o.radius + 0.05 for o in others if o.launch == 0
    )


def _place_inside(rng: np.random.Generator, camera: Camera, body: Body, others: list[Body]) -> bool:
    z = rest_height(body)
    for _ in range(60):
        p = np.array([*rng.uniform(-3.5, 3.5, 2), z])
        pixel, depth = camera.project(p[None])
        x, y = pixel[0] / (camera.width, camera.height)
        if depth[0] > 1.5 and 0.05 < x < 0.95 and 0.05 < y < 0.95 and _clear(p, body, others):
            break
    else:
        return False
    body.position = (float(p[0]), float(p[1]), z)
    kind = rng.random()
    turn, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 4.0)
    if kind < 0.18:
        body.velocity = (float(speed * np.cos(turn)), float(speed * np.sin(turn)), 0.0)
    elif kind < 0.28:
        body.push = (float(rng.uniform(0.8, 7.0)), (float(speed * np.cos(turn)), float(speed * np.sin(turn))))
    return True


def _throw_in(rng: np.random.Generator, camera: Camera, body: Body, others: list[Body], duration: float) -> bool:
    """Start the body outside the picture, aimed at another body or at a point in view."""
    z = rest_height(body)
    target = rng.uniform(-1.8, 1.8, 2)
    if others and rng.random() < 0.8:
        aim = others[int(rng.integers(len(others)))]
        if aim.launch == 0:
            target = np.array(aim.position[:2]) + rng.normal(0, 0.5, 2) * (aim.radius + body.radius)
    for _ in range(30):
        turn = rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(turn), np.sin(turn)])
        start = _outside(camera, target, way, body.radius, z)
        if start is not None and _clear(start, body, others):
            break
    else:
        return False
    body.launch = float(rng.uniform(0.02, 0.72) * duration)
    body.position = (float(start[0]), float(start[1]), z)
    distance = float(np.linalg.norm(start[:2] - target))
    if body.shape == "sphere":
        speed = rng.uniform(1.2, 5.0)
    else:
        speed = np.sqrt(2 * body.friction * GRAVITY * distance * rng.uniform(1.0, 2.4))
    body.velocity = (float(-way[0] * speed), float(-way[1] * speed), 0.0)
    body.spin = float(rng.normal(0, 1.5)) if body.shape != "sphere" else 0.0
    if rng.random() < 0.06:  # it falls from above and bounces
        body.position = (*body.position[:2], z + float(rng.uniform(0.3, 1.2)))
    return True


def _outside(camera: Camera, target: np.ndarray, way: np.ndarray, radius: float, z: float) -> np.ndarray | None:
    for distance in np.arange(0.4, 12.0, 0.15):
        p = np.array([*(target + way * distance), z])
        if np.linalg.norm(p[:2] - camera.eye[:2]) < 1.2 + radius or (p - camera.eye) @ camera.rotation[2] < 1.2:
            return None
        if not camera.sees(p, radius):
            return p
    return None
