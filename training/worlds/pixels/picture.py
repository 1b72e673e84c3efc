"""Renders a scene by ray casting: exact outlines and depths, textures, light and shadows."""

from __future__ import annotations

import cv2
import numpy as np

from training.worlds.pixels.bodies import Body
from training.worlds.pixels.scene import Scene

NOTHING, OCCLUDER = 255, 254
Rendering = tuple[tuple[slice, slice], np.ndarray, np.ndarray]
GRAIN_FRAMES = 7  # pictures of sensor noise, drawn at random and shifted


def _smooth_noise(rng: np.random.Generator, size: int, octaves: int) -> np.ndarray:
    """(size, size) noise in 0–1 that wraps around."""
    out = np.zeros((size, size), np.float32)
    for o in range(octaves):
        n = 4 << o
        grid = rng.random((n, n)).astype(np.float32)
        grid = np.pad(grid, 1, mode="wrap")
        step = size // n
        out += cv2.resize(grid, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)[step:-step, step:-step] / 2**o
    out -= out.min()
    return out / out.max()


def floor_texture(rng: np.random.Generator, kind: str, size: int = 512) -> np.ndarray:
    """Mixture 0–1 (size, size) of the two floor colours; the texture wraps around."""
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    noise = _smooth_noise(rng, size, 5)
    if kind == "plain":
        return noise * 0.15
    if kind == "noise":
        return noise
    if kind == "wood":
        return np.clip(0.5 + 0.35 * np.sin(40 * np.pi * x + 6 * noise) + 0.4 * ((y * 4 + noise * 0.05) % 1 < 0.02), 0, 1)
    if kind == "tiles":
        return np.clip(((x * 4 % 1 < 0.04) | (y * 4 % 1 < 0.04)) * 0.8 + noise * 0.3, 0, 1).astype(np.float32)
    if kind == "checks":
        return (((x * 4).astype(int) + (y * 4).astype(int)) % 2) * 0.8 + noise * 0.2
    return np.clip((rng.random((size, size)) < 0.03) * 0.9 + noise * 0.2, 0, 1).astype(np.float32)


class Painter:
    """Renders the frames of one scene.

    `paint` returns the picture (BGR, uint8) and the label map (uint8: index of the body, NOTHING or OCCLUDER).
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.rng = np.random.default_rng((scene.seed, 1))
        self.rays = scene.camera.rays()
        self.eye = scene.camera.eye.astype(np.float32)
        self.light = np.array(scene.appearance.light, np.float32)
        self.background: np.ndarray | None = None  # drawn for the first picture
        style = scene.appearance
        shape = (GRAIN_FRAMES, scene.camera.height, scene.camera.width, 1 if scene.seed % 2 else 3)
        self.grain = (self.rng.standard_normal(shape, np.float32) * style.noise) if style.noise else None
        self.rendered: dict[int, tuple[bytes, Rendering | None]] = {}
        self.clean: tuple[bytes, np.ndarray | None, np.ndarray] | None = None
        self.corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)

    def _background(self) -> np.ndarray:
        """(height, width, 3) float32 BGR 0–255: the floor up to the horizon, the wall above."""
        style, rays = self.scene.appearance, self.rays
        down = np.minimum(rays[..., 2], -1e-3)
        depth = -self.eye[2] / down
        xy = self.eye[:2] + rays[..., :2] * depth[..., None]
        texture = floor_texture(self.rng, style.floor)
        uv = (xy / (4 * style.floor_scale) % 1 * texture.shape[0]).astype(np.float32)
        # Far away the texture is finer than the pixels, so it fades to its mean.
        fine = np.clip(depth / 14, 0, 1)[..., None] ** 2
        mix = cv2.remap(texture.astype(np.float32), uv[..., 0], uv[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        mix = mix[..., None] * (1 - fine) + float(texture.mean()) * fine
        a, b = (np.array(c, np.float32) for c in style.floor_colours)
        picture = a * (1 - mix) + b * mix
        for x, y, w, h, colour in style.rugs:
            on = (np.abs(xy[..., 0] - x) < w) & (np.abs(xy[..., 1] - y) < h)
            picture[on] = np.array(colour) * 0.8 + picture[on] * 0.2
        picture *= style.ambient + (1 - style.ambient) * max(self.light[2], 0)
        wall = (rays[..., 2] > -1e-3) | (depth > 40)
        picture[wall] = style.wall
        rows, columns = np.mgrid[-1 : 1 : 1j * rays.shape[0], -1 : 1 : 1j * rays.shape[1]]
        picture *= (1 - style.vignette * (rows**2 + columns**2) / 2)[..., None]
        return np.ascontiguousarray(picture[..., ::-1] * 255).astype(np.float32)

    def labels(self, positions: np.ndarray, rotations: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Return the label map alone, by filling outlines from the farthest to the nearest body.

        It differs from the labels of `paint` by at most one pixel at outlines, and costs far less.
        """
        pose = _fingerprint(positions, rotations, present)
        if self.clean is None or self.clean[0] != pose:
            self.clean = pose, None, self._outline(positions, rotations, present)
        return self.clean[2]

    def _outline(self, positions: np.ndarray, rotations: np.ndarray, present: np.ndarray) -> np.ndarray:
        camera, bodies = self.scene.camera, self.scene.bodies
        labels = np.full(self.rays.shape[:2], NOTHING, np.uint8)
        away = np.linalg.norm(positions - camera.eye, axis=1)
        for i in sorted(np.flatnonzero(present), key=lambda i: -away[i]):
            if not camera.sees(positions[i], bodies[i].radius):
                continue
            pixels, depth = camera.project(silhouette(bodies[i], positions[i], rotations[i], camera.eye))
            if depth.min() > 0.2:
                low, high = pixels.min(0), pixels.max(0)  # fillConvexPoly also fills the pixels on the edge
                pixels = (pixels - (low + high) / 2) * (1 - 1 / np.maximum(high - low, 2)) + (low + high) / 2
                hull = cv2.convexHull(np.round(pixels * 8).astype(np.int32))
                cv2.fillConvexPoly(labels, hull, int(i), cv2.LINE_8, 3)
        self._occlude(labels, None)
        return labels

    def paint(self, positions: np.ndarray, rotations: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture (height, width, 3) BGR uint8 and the label map (height, width) uint8 of one pose."""
        pose = _fingerprint(positions, rotations, present)
        if self.clean is not None and self.clean[0] == pose and self.clean[1] is not None:
            return self._spoil(self.clean[1]), self.clean[2]  # an unchanged pose is not rendered again
        if self.background is None:
            self.background = self._background()
        picture = self.background.copy()
        if self.scene.appearance.shadow:
            self._shadows(picture, positions, rotations, present)
        labels = self._cast(positions, rotations, present, picture)
        self.clean = pose, picture, labels
        return self._spoil(picture), labels

    def _shadows(self, picture: np.ndarray, positions: np.ndarray, rotations: np.ndarray, present: np.ndarray) -> None:
        camera, style = self.scene.camera, self.scene.appearance
        mask = np.zeros(picture.shape[:2], np.uint8)
        for i, body in enumerate(self.scene.bodies):
            if not present[i] or not camera.sees(positions[i], body.radius * 4):
                continue
            points = body.vertices() @ rotations[i].T + positions[i]
            ground = points - points[:, 2:] / self.light[2] * self.light
            pixels, depth = camera.project(ground)
            if (depth > 0.3).all() and np.abs(pixels).max() < 4 * picture.shape[1]:
                hull = cv2.convexHull(np.round(pixels * 8).astype(np.int32))
                cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA, 3)
        if mask.any():
            x, y, w, h = cv2.boundingRect(mask)
            m = int(3 * style.shadow_blur) + 1
            region = np.s_[max(0, y - m) : y + h + m, max(0, x - m) : x + w + m]
            soft = cv2.GaussianBlur(mask[region], (0, 0), style.shadow_blur).astype(np.float32) * (style.shadow / 255)
            picture[region] *= 1 - soft[..., None]

    def _cast(self, positions: np.ndarray, rotations: np.ndarray, present: np.ndarray, picture: np.ndarray) -> np.ndarray:
        height, width = self.rays.shape[:2]
        labels = np.full((height, width), NOTHING, np.uint8)
        depths = np.full((height, width), np.inf, np.float32)
        for i in range(len(self.scene.bodies)):
            rendering = self._render(i, positions[i], rotations[i]) if present[i] else None
            if rendering is None:
                continue
            roi, depth, colours = rendering
            front = depth < depths[roi]
            depths[roi][front] = depth[front]
            labels[roi][front] = i
            picture[roi][front] = colours[front]
        self._occlude(labels, picture)
        return labels

    def _occlude(self, labels: np.ndarray, picture: np.ndarray | None) -> None:
        width = labels.shape[1]
        for x, w, colour in self.scene.appearance.occluders:
            columns = np.s_[:, int((x - w / 2) * width) : int((x + w / 2) * width)]
            labels[columns] = OCCLUDER
            if picture is not None:
                picture[columns] = np.array(colour[::-1]) * 255

    def _render(self, i: int, position: np.ndarray, rotation: np.ndarray) -> Rendering | None:
        """Render body i alone: its region of the picture, depths there (inf outside the body) and colours.

        Return None when the body is out of view. The result is cached until the body moves.
        """
        pose = np.round(np.append(position, rotation), 4).tobytes()
        cached = self.rendered.get(i)
        if cached and cached[0] == pose:
            return cached[1]
        body, rendering = self.scene.bodies[i], None
        roi = self._roi(body, position, rotation)
        if roi is not None:
            turn = rotation.astype(np.float32)
            rays = self.rays[roi].reshape(-1, 3) @ turn
            origin = (self.eye - position.astype(np.float32)) @ turn
            depth, normal = hit(body, origin, rays)
            shape = self.rays[roi].shape
            on = np.isfinite(depth)
            colours = np.zeros((len(depth), 3), np.float32)
            colours[on] = self._shade(body, origin + rays[on] * depth[on, None], normal[on], rotation)
            rendering = roi, depth.reshape(shape[:2]), colours.reshape(shape)
        self.rendered[i] = pose, rendering
        return rendering

    def _roi(self, body: Body, position: np.ndarray, rotation: np.ndarray) -> tuple[slice, slice] | None:
        """Return the region of the picture that the body may cover, or None when it is out of view."""
        pixels, depth = self.scene.camera.project((self.corners * body.half) @ rotation.T + position)
        if depth.min() < 0.2:
            return None
        height, width = self.rays.shape[:2]
        x0, y0 = np.clip(np.floor(pixels.min(0)), 0, [width, height]).astype(int)
        x1, y1 = np.clip(np.ceil(pixels.max(0)) + 1, 0, [width, height]).astype(int)
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def _shade(self, body: Body, local: np.ndarray, normal: np.ndarray, rotation: np.ndarray) -> np.ndarray:
        """BGR (n, 3) 0–255 of local points with local normals."""
        style = self.scene.appearance
        light = self.light @ rotation.astype(np.float32)
        lit = np.maximum(normal @ light, 0)
        value = (style.ambient + (1 - style.ambient) * lit) * (1 + _pattern(body, local))
        colour = np.array(body.colour[::-1], np.float32) * value[:, None]
        if body.gloss:
            eye = self.eye @ rotation.astype(np.float32) - local
            half = eye / np.linalg.norm(eye, axis=1, keepdims=True) + light
            half /= np.linalg.norm(half, axis=1, keepdims=True) + 1e-6
            colour += (body.gloss * np.maximum((normal * half).sum(1), 0) ** 24)[:, None]
        return np.clip(colour, 0, 1) * 255

    def _spoil(self, picture: np.ndarray) -> np.ndarray:
        """Add the effects of a camera: blur, shake, flicker, noise."""
        style, rng = self.scene.appearance, self.rng
        if style.shake:
            shift = np.array([[1, 0, rng.normal(0, style.shake)], [0, 1, rng.normal(0, style.shake)]], np.float32)
            picture = cv2.warpAffine(picture, shift, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        if style.blur:
            picture = cv2.GaussianBlur(picture, (0, 0), style.blur)
        if style.flicker:
            picture = picture * (1 + rng.normal(0, style.flicker))
        if self.grain is not None:
            roll = int(rng.integers(picture.shape[1]))
            picture = picture + np.roll(self.grain[int(rng.integers(GRAIN_FRAMES))], roll, axis=1)
        return np.clip(picture, 0, 255).astype(np.uint8)


def silhouette(body: Body, position: np.ndarray, rotation: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """World points (n, 3) in m whose projected hull is the outline of the body."""
    if body.shape != "sphere":
        return body.vertices() @ rotation.T + position
    away = eye - position
    distance, r = float(np.linalg.norm(away)), body.half[0]
    axis = away / distance
    side = np.cross(axis, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)[:, None]
    ring = np.cos(turn) * side + np.sin(turn) * np.cross(axis, side)
    return position + axis * (r * r / distance) + ring * (r * np.sqrt(1 - (r / distance) ** 2))


def _fingerprint(positions: np.ndarray, rotations: np.ndarray, present: np.ndarray) -> bytes:
    return b"".join(np.round(v, 4).tobytes() for v in (positions, rotations)) + present.tobytes()


def _pattern(body: Body, local: np.ndarray) -> np.ndarray | float:
    """Relative brightness of the surface at local points, about −depth to depth."""
    p = local * (body.pattern_scale / max(body.half))
    if body.pattern == "stripes":
        return body.pattern_depth * np.sign(np.sin(p[:, 0] * 2))
    if body.pattern == "checks":
        return body.pattern_depth * np.sign(np.sin(p[:, 0]) * np.sin(p[:, 1]) * np.sin(p[:, 2] + 0.5))
    if body.pattern == "noise":
        return body.pattern_depth * np.sin(p[:, 0] * 1.3 + 2 * np.sin(p[:, 1])) * np.sin(p[:, 2] * 1.7 + p[:, 0])
    if body.pattern == "halves":
        return body.pattern_depth * np.sign(local[:, 0])
    return 0.0


def hit(body: Body, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intersect rays (n, 3) from origin (3,), both in local axes, with the body.

    Return distances in ray lengths (n,), inf for a miss, and outward local normals (n, 3).
    """
    if body.shape == "sphere":
        return _hit_sphere(body.half[0], origin, rays)
    if body.round:
        return _hit_cylinder(body.half[0], body.half[2], origin, rays)
    normals, offsets = body.planes()
    along, room = rays @ normals.T, offsets - normals @ origin
    with np.errstate(divide="ignore", invalid="ignore"):
        t = room / along
    enter = np.where(along < 0, t, -np.inf)
    face = enter.argmax(1)
    near = enter[np.arange(len(rays)), face]
    far = np.where(along > 0, t, np.inf).min(1)
    return np.where((near <= far) & (near > 0), near, np.inf).astype(np.float32), normals[face]


def _hit_sphere(radius: float, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b, c = (rays * rays).sum(1), rays @ origin, origin @ origin - radius**2
    root = b * b - a * c
    t = np.where(root >= 0, (-b - np.sqrt(np.maximum(root, 0))) / a, np.inf).astype(np.float32)
    t[t <= 0] = np.inf
    at = origin + rays * np.where(np.isfinite(t), t, 0)[:, None]
    return t, at / radius


def _hit_cylinder(radius: float, half: float, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a = (rays[:, :2] ** 2).sum(1) + 1e-12
    b, c = rays[:, :2] @ origin[:2], origin[:2] @ origin[:2] - radius**2
    root = b * b - a * c
    side = np.sqrt(np.maximum(root, 0))
    z = np.where(np.abs(rays[:, 2]) < 1e-9, 1e-9, rays[:, 2])
    caps = np.sort(np.stack([(-half - origin[2]) / z, (half - origin[2]) / z]), axis=0)
    enter_side, enter_cap = (-b - side) / a, caps[0]
    near, far = np.maximum(enter_side, enter_cap), np.minimum((-b + side) / a, caps[1])
    t = np.where((root >= 0) & (near <= far) & (near > 0), near, np.inf).astype(np.float32)
    at = origin + rays * np.where(np.isfinite(t), t, 0)[:, None]
    normal = at / radius
    normal[:, 2] = 0
    on_cap = enter_cap > enter_side
    normal[on_cap] = 0
    normal[on_cap, 2] = -np.sign(rays[on_cap, 2])
    return t, normal
