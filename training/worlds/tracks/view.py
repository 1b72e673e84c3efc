"""Projection of cuboids, balls and cylinders on a plane, compiled: boxes of the visible region, in frame heights."""

from __future__ import annotations

import numpy as np
from numba import njit

MIN_SIDE = 0.012  # frame heights; thinner visible regions have no box
HIDDEN = 0.3  # visible share of its outline below which an object counts as hidden
# Columns of a camera: eye (3), rotation rows right, down, forward (9), focal in frame heights, aspect.
EYE, ROTATION, FOCAL, ASPECT = 0, 3, 12, 13
CAMERA = 14


@njit(cache=True)
def look_at(camera, eye, at, roll, focal, aspect):
    """Fill the camera columns for a camera at `eye` that points at `at`."""
    f = at - eye
    f = f / np.sqrt((f * f).sum())
    r = np.array([f[1], -f[0], 0.0])
    r = r / max(np.sqrt((r * r).sum()), 1e-9)
    d = np.array([f[1] * r[2] - f[2] * r[1], f[2] * r[0] - f[0] * r[2], f[0] * r[1] - f[1] * r[0]])
    c, s = np.cos(roll), np.sin(roll)
    for k in range(3):
        camera[k] = eye[k]
        camera[3 + k] = c * r[k] + s * d[k]
        camera[6 + k] = c * d[k] - s * r[k]
        camera[9 + k] = f[k]
    camera[FOCAL], camera[ASPECT] = focal, aspect


@njit(cache=True)
def project(camera, x, y, z):
    """Project a world point to (x, y) in frame heights and depth in m; points nearer than 0.1 m are behind the camera."""
    dx, dy, dz = x - camera[0], y - camera[1], z - camera[2]
    depth = camera[9] * dx + camera[10] * dy + camera[11] * dz
    safe = max(depth, 0.1)
    px = (camera[3] * dx + camera[4] * dy + camera[5] * dz) / safe * camera[FOCAL] + camera[ASPECT] / 2
    py = (camera[6] * dx + camera[7] * dy + camera[8] * dz) / safe * camera[FOCAL] + 0.5
    return px, py, depth


@njit(cache=True)
def ground(camera, px, py):
    """Point of the plane z = 0 seen at (px, py), and its distance along the ray; far away if the ray misses the plane."""
    a, b = (px - camera[ASPECT] / 2) / camera[FOCAL], (py - 0.5) / camera[FOCAL]
    rx = camera[3] * a + camera[6] * b + camera[9]
    ry = camera[4] * a + camera[7] * b + camera[10]
    rz = camera[5] * a + camera[8] * b + camera[11]
    t = -camera[2] / rz if rz < -1e-3 else 1e3
    return camera[0] + rx * t, camera[1] + ry * t, t


@njit(cache=True)
def outline(camera, kind, x, y, yaw, half_x, half_y, height, box):
    """Set the box of a ball (kind 0), an upright cylinder (1) or a cuboid (2) on the plane; return the depth, -1 if behind."""
    px, py, depth = project(camera, x, y, height / 2)
    if depth < 0.3:
        return -1.0
    if kind == 0:
        r = half_x * camera[FOCAL] / depth
        box[0], box[1], box[2], box[3] = px - r, py - r, 2 * r, 2 * r
        return depth
    x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
    corners = 8 if kind == 1 else 4
    c, s = np.cos(yaw), np.sin(yaw)
    for n in range(corners):
        if kind == 1:
            ox, oy = half_x * np.cos(n * np.pi / 4), half_x * np.sin(n * np.pi / 4)
        else:
            u = half_x if n == 0 or n == 3 else -half_x
            v = half_y if n < 2 else -half_y
            ox, oy = c * u - s * v, s * u + c * v
        for top in range(2):
            px, py, d = project(camera, x + ox, y + oy, height * top)
            if d < 0.2:
                return -1.0
            x0, x1, y0, y1 = min(x0, px), max(x1, px), min(y0, py), max(y1, py)
    box[0], box[1], box[2], box[3] = x0, y0, x1 - x0, y1 - y0
    return depth


@njit(cache=True)
def visible(whole, depth, aspect, solid, box, seen):
    """Set the boxes [N, 4] of the regions in the picture that are not occluded.

    whole [N, 4]: full outlines; depth [N]: below 0 for absent objects. solid: share of its box that an object covers, along
    each
    side.
    """
    n = whole.shape[0]
    for i in range(n):
        seen[i] = False
        if depth[i] <= 0:
            continue
        x0, y0 = max(whole[i, 0], 0.0), max(whole[i, 1], 0.0)
        x1, y1 = min(whole[i, 0] + whole[i, 2], aspect), min(whole[i, 1] + whole[i, 3], 1.0)
        if x1 - x0 < MIN_SIDE or y1 - y0 < MIN_SIDE:
            continue
        covered = 0.0
        for j in range(n):
            if depth[j] <= 0 or depth[j] >= depth[i]:
                continue
            w, h = whole[j, 2] * solid, whole[j, 3] * solid
            u0, v0 = whole[j, 0] + (whole[j, 2] - w) / 2, whole[j, 1] + (whole[j, 3] - h) / 2
            u1, v1 = u0 + w, v0 + h
            ox, oy = min(x1, u1) - max(x0, u0), min(y1, v1) - max(y0, v0)
            if ox <= 0 or oy <= 0:
                continue
            covered += ox * oy / (whole[i, 2] * whole[i, 3])
            slack_x, slack_y = 0.1 * (x1 - x0), 0.1 * (y1 - y0)
            if u0 <= x0 + slack_x and u1 >= x1 - slack_x:
                if v0 <= y0:
                    y0 = max(y0, v1)
                elif v1 >= y1:
                    y1 = min(y1, v0)
            elif v0 <= y0 + slack_y and v1 >= y1 - slack_y:
                if u0 <= x0:
                    x0 = max(x0, u1)
                elif u1 >= x1:
                    x1 = min(x1, u0)
        clipped = (x1 - x0) * (y1 - y0)
        if x1 - x0 < MIN_SIDE or y1 - y0 < MIN_SIDE:
            continue
        if covered > 1 - HIDDEN and clipped < HIDDEN * whole[i, 2] * whole[i, 3]:
            continue
        seen[i] = True
        box[i, 0], box[i, 1], box[i, 2], box[i, 3] = x0, y0, x1 - x0, y1 - y0
