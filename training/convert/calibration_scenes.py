"""Pictures for the calibration of a quantised detector; none of them is evaluation data.

Photographs in Python packages with suitable licences are cropped, scaled, mirrored, lit and pasted over one another, with many
sizes, textures, exposures and blurs, so that activations cover the range of cameras. All random numbers are seeded.

- scikit-image 0.26 `skimage/data`: astronaut (NASA, public domain), camera, chelsea, coffee, rocket, motorcycle_left,
  brick, grass, gravel (CC0)
- matplotlib `sample_data/grace_hopper.jpg` (US Navy, public domain)
- scikit-learn `datasets/images`: china.jpg, flower.jpg (CC BY 2.0, see the README in that folder)
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import cv2
import numpy as np

BACKGROUNDS = {
    "skimage": ["data/brick.png", "data/grass.png", "data/gravel.png", "data/coffee.png", "data/motorcycle_left.png"],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
}
SUBJECTS = {
    "skimage": [
        "data/astronaut.png",
        "data/camera.png",
        "data/chelsea.png",
        "data/rocket.jpg",
        "data/motorcycle_left.png",
        "data/coffee.png",
    ],
    "matplotlib": ["mpl-data/sample_data/grace_hopper.jpg"],
}
WIDTH, HEIGHT = 768, 576


def load(table: dict[str, list[str]]) -> list[np.ndarray]:
    """Pictures of the packages, BGR."""
    pictures = []
    for package, names in table.items():
        for name in names:
            data = np.frombuffer(resources.files(package).joinpath(name).read_bytes(), np.uint8)
            pictures.append(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return pictures


def crop(rng: np.random.Generator, picture: np.ndarray, smallest: float) -> np.ndarray:
    """Random crop of at least `smallest` of each side."""
    height, width = picture.shape[:2]
    h, w = (int(side * rng.uniform(smallest, 1)) for side in (height, width))
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    piece = picture[y : y + h, x : x + w]
    return piece[:, ::-1] if rng.random() < 0.5 else piece


def compose(rng: np.random.Generator, backgrounds: list[np.ndarray], subjects: list[np.ndarray]) -> np.ndarray:
    """One BGR scene: a background with up to twelve subjects of 2 to 80 % of its height, or a whole photograph."""
    whole = rng.random() < 0.35
    base = subjects[rng.integers(len(subjects))] if whole else backgrounds[rng.integers(len(backgrounds))]
    scene = cv2.resize(crop(rng, base, 0.4), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).copy()
    for _ in range(0 if whole else rng.integers(0, 13)):
        subject = crop(rng, subjects[rng.integers(len(subjects))], 0.5)
        height = int(HEIGHT * 0.02 * 40 ** rng.random())
        width = max(4, min(WIDTH - 1, int(height * subject.shape[1] / subject.shape[0])))
        y, x = rng.integers(0, HEIGHT - height), rng.integers(0, WIDTH - width)
        scene[y : y + height, x : x + width] = cv2.resize(subject, (width, height), interpolation=cv2.INTER_AREA)
    return expose(rng, scene)


def expose(rng: np.random.Generator, scene: np.ndarray) -> np.ndarray:
    """Apply light, contrast, colour cast, blur and noise as of cameras by day and by night."""
    values: np.ndarray = scene.astype(np.float32)
    gain, cast = rng.uniform(0.5, 1.4), rng.uniform(0.9, 1.1, 3)
    values = (values - 128) * rng.uniform(0.7, 1.5) + 128
    values = values * gain * cast + rng.uniform(-20, 20)
    if rng.random() < 0.3:
        values = cv2.GaussianBlur(values, (0, 0), rng.uniform(0.4, 1.2))
    values += rng.normal(0, rng.uniform(0, 8), values.shape)
    return np.clip(values, 0, 255).astype(np.uint8)


def feeds(count: int, seed: int, canvas: tuple[int, int], content: tuple[int, int]) -> Iterator[dict[str, np.ndarray]]:
    """Inputs of the graph of the detector for `count` scenes; `canvas` and `content` are (height, width) in px."""
    rng = np.random.default_rng(seed)
    backgrounds, subjects = load(BACKGROUNDS), load(SUBJECTS)
    for _ in range(count):
        yield feed(compose(rng, backgrounds, subjects), canvas, content)


def feed(bgr: np.ndarray, canvas: tuple[int, int], content: tuple[int, int]) -> dict[str, np.ndarray]:
    """Inputs of the graph for a BGR picture with even sides."""
    height, width = bgr.shape[:2]
    planes = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, chroma = height * width, height * width // 4
    half = (1, 1, height // 2, width // 2)
    return {
        "y": planes[:luma].reshape(1, 1, height, width),
        "u": planes[luma : luma + chroma].reshape(half),
        "v": planes[luma + chroma :].reshape(half),
        "content": np.array(content, np.int64),
        "canvas": np.array(canvas, np.int64),
    }
