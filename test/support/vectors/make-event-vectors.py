"""Makes test/unit/memory/event-vectors.jsonl (the places, then one recording a line): seeded synthetic tracks and the events that the reference implementation
of the event definitions finds in them.

usage: PRESAGE_EVENTS_REFERENCE=DIR python make-event-vectors.py OUT.jsonl
DIR holds the reference implementation (events.py, places.py, sampling.py, tracks.py).
"""
import json
import math
import os
import random
import sys

import numpy as np

sys.path.insert(0, os.environ["PRESAGE_EVENTS_REFERENCE"])
from events import find_events  # noqa: E402
from places import Places  # noqa: E402
from tracks import Recording, Track  # noqa: E402

WIDTH, HEIGHT, ROUNDING = 960, 540, 64
PLACES = {
    "zones": {"yard": [[0.3, 0.3], [0.7, 0.25], [0.75, 0.8], [0.45, 0.6], [0.25, 0.85]]},
    "lines": {"gate": [[0.5, 0.1], [0.45, 0.95]], "kerb": [[0.1, 0.6], [0.9, 0.55]]},
}


def rounded(v):
    return math.floor(v * ROUNDING + 0.5) / ROUNDING


def expand(track, fps, end):
    """The same as expandKnots of tracks.ts."""
    knots, rows = track["knots"], []
    ax, wx, ay, wy = track.get("wobble", [0, 0, 0, 0])
    for frame in range(round(end * fps) + 1):
        t = frame / fps
        if t < knots[0][0] or t > knots[-1][0] or any(a <= t < b for a, b in track.get("unseen", [])):
            continue
        j = max(1, next(i for i, k in enumerate(knots) if k[0] >= t))
        a, b = knots[j - 1], knots[j]
        f = (t - a[0]) / (b[0] - a[0])
        x, y, w, h = (a[i] + (b[i] - a[i]) * f for i in (1, 2, 3, 4))
        x += ax * math.sin(wx * t) - w / 2
        y += ay * math.sin(wy * t + 1) - h
        rows.append((t, rounded(x), rounded(y), rounded(w), rounded(h)))
    return rows


def wander(rng, i, end):
    """A person or a thing that walks, stands, turns, meets others near the middle, and is hidden now and then."""
    person = rng.random() < 0.7
    h = rng.uniform(50, 130) if person else rng.uniform(30, 60)
    w = h * (rng.uniform(0.3, 0.5) if person else rng.uniform(0.8, 1.3))
    t = rng.choice([0.0, round(rng.uniform(0, end / 3), 2)])
    x, y = (rng.choice([10, WIDTH - 10]), rng.uniform(200, 500)) if rng.random() < 0.5 else (rng.uniform(100, 860), rng.uniform(200, 500))
    knots = [[t, x, y, w, h]]
    while t < end and len(knots) < 12:
        kind = rng.random()
        dt = round(rng.uniform(0.8, 4.0), 2)
        if kind < 0.3:
            pass                                                     # stand
        elif kind < 0.6:
            x, y = WIDTH / 2 + rng.uniform(-80, 80), 350 + rng.uniform(-50, 50)
        else:
            v, angle = rng.uniform(0.2, 1.8) * h * dt, rng.uniform(0, 2 * math.pi)
            x, y = x + v * math.cos(angle), y + v * math.sin(angle)
        x, y = min(max(x, -20), WIDTH + 20), min(max(y, 60), HEIGHT + 20)
        t = round(t + dt, 2)
        knots.append([t, x, y, w * rng.uniform(0.9, 1.1), h * rng.uniform(0.95, 1.05)])
    track = dict(id=f"o{i}", label="person" if person else "suitcase",
                 knots=[[k[0], *(round(v, 1) for v in k[1:])] for k in knots])
    if rng.random() < 0.6:
        track["wobble"] = [round(rng.uniform(0.2, 3), 2), round(rng.uniform(1, 9), 2), round(rng.uniform(0.2, 2), 2), round(rng.uniform(1, 9), 2)]
    if rng.random() < 0.6:
        gaps = []
        for _ in range(rng.randint(1, 4)):
            a = round(rng.uniform(1, end - 1), 2)
            gaps.append([a, round(a + rng.choice([0.15, 0.4, 0.7, 0.95, 1.05, 1.6, 3.0]), 2)])
        track["unseen"] = gaps
    return track


def file(rng, first, end):
    """Two people who walk one behind the other through the picture, steadily for most of the way."""
    h, y, gap = rng.uniform(60, 110), rng.uniform(250, 500), rng.uniform(0.8, 3.5)
    v, start, rise = rng.uniform(0.4, 1.2) * h, round(rng.uniform(0, 3), 2), rng.uniform(-12, 12)
    out = []
    for n in range(2):
        x, knots, t = 30 + n * gap * h, [], start
        while t < end and x < WIDTH:
            knots.append([round(t, 2), round(x, 1), round(y, 1), round(0.4 * h, 1), round(h, 1)])
            dt = rng.uniform(1, 4)
            t, x, y = t + dt, x + v * rng.uniform(0.9, 1.1) * dt, y + rise * dt
        out.append(dict(id=f"o{first + n}", label="person", knots=knots, wobble=[0.8, round(rng.uniform(1, 6), 2), 0.5, 2.0]))
    return [d for d in out if len(d["knots"]) > 1]


def bounce(rng, first, end):
    """Things that slide into each other and change their motion."""
    out, y = [], rng.uniform(250, 450)
    size, hit = rng.uniform(30, 60), round(rng.uniform(1.5, end - 2), 1)
    v, keep = rng.uniform(40, 160), rng.uniform(-0.3, 0.4)
    x = rng.uniform(350, 600)
    for n, (before, after, side) in enumerate(((v, v * keep, -1), (0, v * (1 - keep), 1))):
        at = x + side * size * rng.uniform(0.48, 0.6)
        out.append(dict(id=f"o{first + n}", label="suitcase", knots=[
            [k[0], *(round(u, 1) for u in k[1:])] for k in (
                [0.0, at - before * hit, y, size, size], [hit, at, y, size, size],
                [end, at + after * (end - hit), y, size, size])]))
    return out


def recording(case, fps):
    tracks = []
    for d in case["tracks"]:
        rows = np.array(expand(d, fps, case["end"]), float).reshape(-1, 5)
        if len(rows):
            tracks.append(Track(d["id"], d["label"], rows[:, 0], rows[:, 1:]))
    return Recording("synthetic", WIDTH, HEIGHT, fps, case["end"], sorted(tracks, key=lambda k: (k.t[0], k.id)))


def line(e):
    who = e["participants"] if e["type"] == "follow" else sorted(e["participants"])
    return " ".join([e["type"], "+".join(who), f"{e['t']:.3f}", *(e[k] for k in ("zone", "direction") if k in e)])


def main():
    rng, cases = random.Random(20), []
    for n in range(20):
        end = rng.choice([12.0, 16.0, 24.0])
        tracks = [wander(rng, i + 1, end) for i in range(rng.randint(2, 6))]
        tracks += file(rng, len(tracks) + 1, end)
        tracks += bounce(rng, len(tracks) + 1, end)
        case = dict(width=WIDTH, height=HEIGHT, end=end, tracks=tracks, events={})
        for fps in ([5, 10, 25, 30] if n < 8 else [rng.choice([3, 10, 12, 24, 25, 50])]):
            case["events"][str(fps)] = [line(e) for e in find_events(recording(case, fps), Places(**PLACES))]
        cases.append(case)
    with open(sys.argv[1], "w") as f:
        for part in [PLACES, *cases]:
            f.write(json.dumps(part, separators=(",", ":")) + "\n")


main()
