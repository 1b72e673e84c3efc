"""The peer: detection and tracking as a careful Python program does them, on the same detector file.

    python pipeline.py VIDEO MODEL SETTINGS.json [--layout intra|workers] [--threads N] [--limit FRAMES]

OpenCV decodes in a thread of its own, ahead of the rest. The graph takes the planes of the picture, so preprocessing is one
colour conversion. ONNX Runtime runs with all threads inside one session (`intra`) or with one session of one thread per
core (`workers`), whichever the caller asks for; it releases the interpreter's lock, so both overlap with everything else.
Decoding of the outputs is vectorised over the cells above the score floor, suppression is OpenCV's, tracking ByteTrack
of `supervision`. Prints one line of JSON: frames, seconds, tracks.
"""

from __future__ import annotations

import argparse
import json
import queue
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Iterator

import cv2
import numpy as np
import onnxruntime
import supervision

# Pictures decoded ahead; more only takes memory.
AHEAD = 8
STEP = 32


class Detector:
    def __init__(self, path: str, settings: dict, width: int, height: int, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # As in Presage: with the decoder beside it, threads that spin while they wait cost more than they bring.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._settings = settings
        self._size = (width, height)
        scale = settings["longSidePx"] / max(width, height)
        self._content = (round(height * scale), round(width * scale))
        self._canvas = tuple(-(-side // STEP) * STEP for side in self._content)
        self._centres, self._strides = self._grid()

    def _grid(self) -> tuple[np.ndarray, np.ndarray]:
        centres, strides = [], []
        for stride in self._settings["strides"]:
            rows, columns = (side // stride for side in self._canvas)
            y, x = np.mgrid[:rows, :columns]
            centres.append((np.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride)
            strides.append(np.full(rows * columns, stride))
        return np.concatenate(centres).astype(np.float32), np.concatenate(strides)

    def __call__(self, bgr: np.ndarray) -> supervision.Detections:
        width, height = self._size
        planes = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).reshape(-1)
        luma, chroma = width * height, width * height // 4
        half = (1, 1, height // 2, width // 2)
        feed = {
            "y": planes[:luma].reshape(1, 1, height, width),
            "u": planes[luma : luma + chroma].reshape(half),
            "v": planes[luma + chroma :].reshape(half),
            "content": np.array(self._content, np.int64),
            "canvas": np.array(self._canvas, np.int64),
        }
        scores, distances = self._session.run(["scores", "boxes"], feed)
        return self._decode(scores[0], distances[0])

    def _decode(self, scores: np.ndarray, distances: np.ndarray) -> supervision.Detections:
        best = scores.max(1)
        kept = np.flatnonzero(best >= self._settings["scoreFloor"])
        if len(kept) == 0:
            return supervision.Detections.empty()
        labels = scores[kept].argmax(1)
        centres, reach = self._centres[kept], distances[kept]
        corners = np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], 1)
        sized = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
        survivors = cv2.dnn.NMSBoxesBatched(
            sized.tolist(), best[kept].tolist(), labels.tolist(), self._settings["scoreFloor"], self._settings["nmsIou"]
        )
        chosen = np.asarray(survivors, int).reshape(-1)
        limits = (np.array(self._content)[[1, 0, 1, 0]]).astype(np.float32)
        boxes = np.clip(corners[chosen] / limits, 0, 1) * np.array([*self._size, *self._size], np.float32)
        return supervision.Detections(
            xyxy=boxes, confidence=best[kept][chosen].astype(np.float32), class_id=labels[chosen].astype(int)
        )


def pictures(capture: cv2.VideoCapture, limit: int) -> Iterator[np.ndarray]:
    """Frames, decoded ahead in a thread."""
    waiting: queue.Queue = queue.Queue(AHEAD)

    def decode() -> None:
        for _ in range(limit):
            ok, picture = capture.read()
            if not ok:
                break
            waiting.put(picture)
        waiting.put(None)

    threading.Thread(target=decode, daemon=True).start()
    while (picture := waiting.get()) is not None:
        yield picture


def detections(detectors: list[Detector], frames: Iterator[np.ndarray]) -> Iterator[supervision.Detections]:
    """Results in order, one frame in work per detector and one more prepared."""
    idle = queue.SimpleQueue()
    for detector in detectors:
        idle.put(detector)

    def detect(frame: np.ndarray) -> supervision.Detections:
        detector = idle.get()
        try:
            return detector(frame)
        finally:
            idle.put(detector)

    with ThreadPoolExecutor(len(detectors)) as pool:
        running: deque[Future] = deque()
        for frame in frames:
            running.append(pool.submit(detect, frame))
            if len(running) > len(detectors):
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("video")
    parser.add_argument("model")
    parser.add_argument("settings", help="JSON: longSidePx, strides, scoreFloor, nmsIou")
    parser.add_argument("--layout", choices=["intra", "workers"], default="intra")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, default=10**9)
    options = parser.parse_args()
    with open(options.settings) as file:
        settings = json.load(file)
    cv2.setNumThreads(1)
    probe = cv2.VideoCapture(options.video)
    width, height = (int(probe.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    fps = probe.get(cv2.CAP_PROP_FPS)
    _, first = probe.read()
    probe.release()
    per_session = options.threads if options.layout == "intra" else 1
    count = options.threads // per_session
    detectors = [Detector(options.model, settings, width, height, per_session) for _ in range(count)]
    for detector in detectors:
        detector(first)
    tracker = supervision.ByteTrack(frame_rate=max(1, round(fps)))
    tracks, frames = set(), 0
    started = time.perf_counter()
    capture = cv2.VideoCapture(options.video)
    for found in detections(detectors, pictures(capture, options.limit)):
        tracked = tracker.update_with_detections(found)
        tracks.update(int(track) for track in (tracked.tracker_id if tracked.tracker_id is not None else []))
        frames += 1
    print(json.dumps({"frames": frames, "seconds": time.perf_counter() - started, "tracks": len(tracks)}))


if __name__ == "__main__":
    main()
