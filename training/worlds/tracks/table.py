"""Draws table-top scenes for the compiled physics: bodies, launches, pushes and camera, distributed as in the rendered world."""

from __future__ import annotations

import numpy as np
from numba import njit

from training.worlds.tracks import physics as ph
from training.worlds.tracks.view import ground, look_at, outline, project, visible

MAX_BODIES = 8
FIRST_PUSH = 0.8  # s
# Activity of a scene: probability that a resting body is pushed, time in s at which launches and pushes end, share of the bodies
# thrown in that are aimed at another one, and the error of the aim (in sizes).
PUSHED, LAST, AIMED, OFF = range(4)
HABITS = 4
SOLID = 0.82  # share of its box that a body covers, along each side
LABEL_BALL, LABEL_CUBE, LABEL_CYLINDER, LABEL_BOX, LABEL_OBJECT = 5, 6, 7, 8, 11
# Columns of the geometry of a body.
KIND, HALF_X, HALF_Y, TALL, LABEL, COLOUR = range(6)
FORMS = 6


@njit(cache=True)
def draw(par, shapes, forms, camera, habits):
    """Fill the arrays of a scene from the current state of the generator; return the number of bodies."""
    u = np.random.uniform
    elevation, azimuth = np.radians(u(16.0, 66.0)), u(0.0, 2 * np.pi)
    distance, aspect = u(5.0, 11.5), _aspect()
    focal = aspect / 2 / np.tan(np.radians(u(36.0, 62.0)) / 2)
    at = np.array([u(-0.6, 0.6), u(-0.6, 0.6), u(0.0, 0.4)])
    away = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    look_at(camera, at + distance * away, at, np.radians(np.random.normal(0.0, 1.5)), focal, aspect)
    scale, friction = u(0.3, 0.95), u(0.03, 0.3)
    rolling = u(0.0, 0.25)
    count = np.random.randint(2, MAX_BODIES + 1)
    share, thrown = u(0.25, 0.7), u(0.05, 0.3)
    habits[PUSHED], habits[LAST], habits[AIMED], habits[OFF] = u(0.02, 0.4), u(4.0, 12.0), u(0.4, 1.0), u(0.2, 0.7)
    placed = 0
    for _ in range(count):
        _body(par, shapes, forms, placed, scale * u(0.6, 1.3), friction, rolling)
        if u(0.0, 1.0) < share:
            done = _inside(par, camera, placed, habits, thrown)
        else:
            done = throw_in(par, camera, placed, u(0.2, habits[LAST]), None, habits)
        if done:
            placed += 1
    if u(0.0, 1.0) < 0.06:
        for i in range(placed):
            if par[i, ph.LAUNCH] == 0 and par[i, ph.VX0] == 0 and par[i, ph.PUSH_AT] > 100:
                par[i, ph.FIXED] = 1.0
                break
    return placed


@njit(cache=True)
def _aspect():
    r = np.random.random()
    if r < 0.35:
        return 4 / 3
    if r < 0.6:
        return 1.5
    if r < 0.9:
        return 16 / 9
    return np.random.uniform(1.2, 1.9)


@njit(cache=True)
def _body(par, shapes, forms, i, size, friction, rolling):
    u, a = np.random.uniform, size / 2
    par[i] = 0.0
    r = np.random.random()
    x, y, z = a, a, a
    sides, kind = 0, 2
    label = LABEL_OBJECT
    if r < 0.27:
        shape, label, sides = ph.PRISM, LABEL_CUBE, 4
    elif r < 0.40:
        shape, label, sides = ph.PRISM, LABEL_BOX, 4
        x, y, z = a * u(0.6, 1.5), a * u(0.6, 1.5), a * u(0.6, 1.5)
    elif r < 0.66:
        shape, label, kind = ph.SPHERE, LABEL_BALL, 0
    elif r < 0.81:
        shape, label, kind, z = ph.UPRIGHT, LABEL_CYLINDER, 1, a * u(0.8, 1.6)
    elif r < 0.87:
        shape, label, sides = ph.LYING, LABEL_CYLINDER, 4
        y = a * u(0.8, 1.6)
    elif r < 0.92:
        shape, label, kind, z = ph.UPRIGHT, LABEL_CYLINDER, 1, a * u(0.25, 0.45)
    else:
        shape, sides, z = ph.PRISM, np.random.randint(3, 7), a * u(0.8, 1.3)
    if sides == 4:
        for s in range(4):
            shapes[i, s, 0] = x if s == 0 or s == 3 else -x
            shapes[i, s, 1] = y if s < 2 else -y
    for s in range(sides if sides != 4 else 0):
        shapes[i, s, 0], shapes[i, s, 1] = a * np.cos(2 * np.pi * s / sides), a * np.sin(2 * np.pi * s / sides)
    mass = 8 * x * y * z * u(4.0, 12.0)
    par[i, ph.SHAPE], par[i, ph.RADIUS], par[i, ph.HEIGHT] = shape, a, 2 * z
    par[i, ph.BOUND] = a if sides == 0 else np.hypot(x, y)
    par[i, ph.MASS] = mass
    inertia = mass * a * a * (0.4 if shape == ph.SPHERE else 0.5) if sides == 0 else mass * (x * x + y * y) / 3
    par[i, ph.INERTIA] = inertia
    par[i, ph.FRICTION], par[i, ph.ROLLING] = friction * u(0.7, 1.4), rolling * u(0.7, 1.4)
    par[i, ph.RESTITUTION] = u(0.1, 0.8)
    par[i, ph.SPREAD] = 0.65 * par[i, ph.BOUND]
    par[i, ph.SIDES], par[i, ph.PUSH_AT], par[i, ph.YAW0] = sides, 1e9, u(0.0, 2 * np.pi)
    forms[i, KIND], forms[i, HALF_X], forms[i, HALF_Y], forms[i, TALL] = kind, x, y, 2 * z
    forms[i, LABEL], forms[i, COLOUR] = label, np.random.randint(0, 8)


@njit(cache=True)
def _clear(par, i, x, y, state):
    for j in range(i if state is None else par.shape[0]):
        if j == i:
            continue
        if state is None:
            if par[j, ph.LAUNCH] > 0:
                continue
            px, py = par[j, ph.X0], par[j, ph.Y0]
        else:
            if state[j, ph.PRESENT] == 0:
                continue
            px, py = state[j, ph.X], state[j, ph.Y]
        if np.hypot(x - px, y - py) < par[i, ph.BOUND] + par[j, ph.BOUND] + 0.05:
            return False
    return True


@njit(cache=True)
def _inside(par, camera, i, habits, thrown):
    u = np.random.uniform
    for _ in range(40):
        px, py = u(0.05, 0.95) * camera[13], u(0.05, 0.95)
        x, y, depth = ground(camera, px, py)
        if depth < 40 and np.hypot(x, y) < 5 and _clear(par, i, x, y, None):
            break
    else:
        return False
    par[i, ph.X0], par[i, ph.Y0] = x, y
    r, turn, speed = np.random.random(), u(0.0, 2 * np.pi), u(0.8, 4.0)
    if r < thrown:
        par[i, ph.VX0], par[i, ph.VY0] = speed * np.cos(turn), speed * np.sin(turn)
    elif r < thrown + habits[PUSHED]:
        set_push(par, i, u(FIRST_PUSH, habits[LAST]))
    return True


@njit(cache=True)
def set_push(par, i, at):
    """Draw a push of body i at time `at` s."""
    turn, speed = np.random.uniform(0.0, 2 * np.pi), np.random.uniform(0.8, 4.0)
    par[i, ph.PUSH_AT], par[i, ph.PUSH_X], par[i, ph.PUSH_Y] = at, speed * np.cos(turn), speed * np.sin(turn)


@njit(cache=True)
def throw_in(par, camera, i, at, state, habits):
    """Start body i at time `at` s outside the picture, aimed at another body or at a point in view."""
    u = np.random.uniform
    tx, ty = u(-1.8, 1.8), u(-1.8, 1.8)
    others = i if state is None else par.shape[0]
    if others > 0 and np.random.random() < habits[AIMED]:
        j = np.random.randint(0, others)
        there = par[j, ph.LAUNCH] == 0 if state is None else state[j, ph.PRESENT] > 0
        if there and j != i:
            spread = habits[OFF] * (par[i, ph.BOUND] + par[j, ph.BOUND])
            bx = par[j, ph.X0] if state is None else state[j, ph.X]
            by = par[j, ph.Y0] if state is None else state[j, ph.Y]
            if np.hypot(bx, by) < 8:
                tx, ty = bx + np.random.normal(0.0, spread), by + np.random.normal(0.0, spread)
    r = par[i, ph.BOUND]
    for _ in range(30):
        turn = u(0.0, 2 * np.pi)
        wx, wy = np.cos(turn), np.sin(turn)
        distance = _outside(camera, tx, ty, wx, wy, r, par[i, ph.HEIGHT] / 2)
        if distance > 0 and _clear(par, i, tx + wx * distance, ty + wy * distance, state):
            break
    else:
        return False
    if par[i, ph.SHAPE] == ph.SPHERE or par[i, ph.SHAPE] == ph.LYING:
        speed = u(1.2, 5.0)
    else:
        speed = np.sqrt(2 * par[i, ph.FRICTION] * ph.GRAVITY * distance * u(1.0, 2.4))
        par[i, ph.SPIN0] = np.random.normal(0.0, 1.5)
    if par[i, ph.SHAPE] == ph.LYING:
        par[i, ph.YAW0] = turn + np.random.normal(0.0, 0.3)
    par[i, ph.LAUNCH] = max(at, 0.02)
    par[i, ph.X0], par[i, ph.Y0] = tx + wx * distance, ty + wy * distance
    par[i, ph.VX0], par[i, ph.VY0] = -wx * speed, -wy * speed
    return True


@njit(cache=True)
def _outside(camera, tx, ty, wx, wy, r, z):
    distance = 0.4
    while distance < 12:
        x, y = tx + wx * distance, ty + wy * distance
        px, py, depth = project(camera, x, y, z)
        if np.hypot(x - camera[0], y - camera[1]) < 1.2 + r or depth < 1.2:
            return -1.0
        size = r * camera[12] / depth
        if px < -size or px > camera[13] + size or py < -size or py > 1 + size:
            return distance
        distance += 0.25
    return -1.0


@njit(cache=True)
def reroll(par, state, camera, now, habits):
    """Redraw everything that is unknown at `now` s: later launches and pushes, and the hidden attributes of the bodies."""
    for i in range(par.shape[0]):
        if state[i, ph.PRESENT] == 0:
            if par[i, ph.LAUNCH] > now:
                throw_in(par, camera, i, np.random.uniform(now, max(habits[LAST], now + 0.05)), state, habits)
            continue
        par[i, ph.RESTITUTION] = min(0.95, par[i, ph.RESTITUTION] * np.exp(np.random.normal(0.0, 0.25)))
        par[i, ph.MASS] *= np.exp(np.random.normal(0.0, 0.15))
        turn = np.random.normal(0.0, 0.03)
        c, s = np.cos(turn), np.sin(turn)
        g = 1 + np.random.normal(0.0, 0.03)
        vx, vy = state[i, ph.VX], state[i, ph.VY]
        ux, uy = state[i, ph.UX], state[i, ph.UY]
        state[i, ph.VX], state[i, ph.VY] = g * (c * vx - s * vy), g * (s * vx + c * vy)
        state[i, ph.UX], state[i, ph.UY] = g * (c * ux - s * uy), g * (s * ux + c * uy)
        if par[i, ph.LAUNCH] == 0 and par[i, ph.VX0] == 0 and state[i, ph.PUSHED] == 0 and par[i, ph.FIXED] == 0:
            pushed, last = habits[PUSHED], habits[LAST]
            left = min(max(0.0, (last - now) / (last - FIRST_PUSH)), 1.0)
            par[i, ph.PUSH_AT] = 1e9
            if np.random.random() < pushed * left / (1 - pushed * (1 - left)):
                set_push(par, i, np.random.uniform(max(now, FIRST_PUSH), max(last, now)))


@njit(cache=True)
def picture(forms, camera, poses, first, last, without, boxes, seen):
    """Compute the visible boxes of samples first..last-1 from poses [K, N, 4]."""
    n = forms.shape[0]
    whole, depth = np.zeros((n, 4)), np.zeros(n)
    for k in range(first, last):
        same = k > first
        for i in range(n):
            if k > first and poses[k, i, 0] == poses[k - 1, i, 0] and poses[k, i, 1] == poses[k - 1, i, 1]:
                if poses[k, i, 2] == poses[k - 1, i, 2] and poses[k, i, 3] == poses[k - 1, i, 3]:
                    continue
            same = False
            depth[i] = -1.0
            if poses[k, i, 3] > 0 and i != without:
                depth[i] = outline(camera, forms[i, KIND], poses[k, i, 0], poses[k, i, 1], poses[k, i, 2], forms[i, HALF_X],
                                   forms[i, HALF_Y], forms[i, TALL], whole[i])  # fmt: skip
        if same:
            boxes[k], seen[k] = boxes[k - 1], seen[k - 1]
            continue
        visible(whole, depth, camera[13], SOLID, boxes[k], seen[k])
