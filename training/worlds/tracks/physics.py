"""Rigid bodies in the plane, compiled: balls that roll, boxes and prisms that slide and spin, cylinders that stand or lie.

State and parameters are arrays with one row per body. Lengths in m, times in s, masses in kg, angles in rad.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import njit

SAMPLE = 0.1
STEP = 0.0125  # s, for bodies that may touch another one within the sample
STEPS_A_SAMPLE = 8
LONE_STEPS = 2  # steps per sample of a body without neighbours
GRAVITY = 9.81
SPHERE, UPRIGHT, PRISM, LYING = 0, 1, 2, 3  # shapes; UPRIGHT: cylinder or disc on its end
# Columns of the parameters.
SHAPE, RADIUS, BOUND, HEIGHT, MASS, INERTIA, FRICTION, ROLLING, RESTITUTION, SPREAD = range(10)
LAUNCH, X0, Y0, VX0, VY0, SPIN0, YAW0, PUSH_AT, PUSH_X, PUSH_Y, FIXED, SIDES = range(10, 22)
PARAMETERS = 22
# Columns of the state. UX, UY: velocity at which the rolling surface would carry the body.
X, Y, VX, VY, UX, UY, YAW, SPIN, PRESENT, PUSHED = range(10)
STATES = 10
MAX_SIDES = 6
APART = 0.5  # s without touching after which the next touch is a new contact
MIN_CHANGE = 0.03  # m/s; contacts with a smaller change of velocity are ignored
NEVER = -1e9
GONE = 12.0  # m from the centre; bodies farther away are stopped


@njit(cache=True)
def length(x, y):
    """Length of a vector."""
    return sqrt(x * x + y * y)


@njit(cache=True)
def launch(par, state, i):
    """Place body i at its start with its initial velocity."""
    state[i, X], state[i, Y] = par[i, X0], par[i, Y0]
    state[i, VX], state[i, VY] = par[i, VX0], par[i, VY0]
    state[i, UX], state[i, UY] = par[i, VX0], par[i, VY0]
    state[i, YAW], state[i, SPIN] = par[i, YAW0], par[i, SPIN0]
    state[i, PRESENT] = 1.0


@njit(cache=True)
def drag(par, state, i, factor, step):
    """Apply the friction of the floor for one step; factor scales it."""
    shape = int(par[i, SHAPE])
    grip = par[i, FRICTION] * factor * GRAVITY * step
    if shape == SPHERE or shape == LYING:
        slip_x, slip_y = state[i, VX] - state[i, UX], state[i, VY] - state[i, UY]
        gain = 2.5 if shape == SPHERE else 2.0
        if shape == LYING:  # it rolls perpendicular to its axis only
            ax, ay = np.cos(state[i, YAW]), np.sin(state[i, YAW])  # across the axis
            along = state[i, UX] * ax + state[i, UY] * ay
            slip_x, slip_y = state[i, VX] - along * ax, state[i, VY] - along * ay
        slip = length(slip_x, slip_y)
        if slip > 1e-9:
            most = min(grip, slip / (1 + gain))
            dx, dy = slip_x / slip * most, slip_y / slip * most
            state[i, VX] -= dx
            state[i, VY] -= dy
            state[i, UX] += gain * dx
            state[i, UY] += gain * dy
        if shape == LYING:
            along = state[i, UX] * ax + state[i, UY] * ay
            state[i, UX], state[i, UY] = along * ax, along * ay
            cross = -state[i, VX] * ay + state[i, VY] * ax
            most = min(abs(cross), grip)
            state[i, VX] += np.sign(cross) * most * ay
            state[i, VY] -= np.sign(cross) * most * ax
        speed = length(state[i, VX], state[i, VY])
        slow = par[i, ROLLING] * factor * step
        keep = max(0.0, 1 - slow / speed) if speed > 1e-9 else 0.0
        state[i, VX] *= keep
        state[i, VY] *= keep
        state[i, UX] *= keep
        state[i, UY] *= keep
        turn = grip / max(par[i, RADIUS], 1e-3)
        state[i, SPIN] = np.sign(state[i, SPIN]) * max(0.0, abs(state[i, SPIN]) - turn)
        return
    arm = par[i, SPREAD] * state[i, SPIN]
    total = sqrt(state[i, VX] ** 2 + state[i, VY] ** 2 + arm * arm)
    if total <= grip:
        state[i, VX] = state[i, VY] = state[i, SPIN] = 0.0
        return
    keep = 1 - grip / total
    state[i, VX] *= keep
    state[i, VY] *= keep
    state[i, SPIN] *= max(0.0, 1 - grip / total * par[i, SPREAD] ** 2 * par[i, MASS] / par[i, INERTIA])


@njit(cache=True)
def place_corners(par, shapes, state, i, corners):
    """Set the corners of a prism in world coordinates, [N, 6, 2]."""
    c, d = np.cos(state[i, YAW]), np.sin(state[i, YAW])
    for s in range(int(par[i, SIDES])):
        x, y = shapes[i, s, 0], shapes[i, s, 1]
        corners[i, s, 0], corners[i, s, 1] = state[i, X] + c * x - d * y, state[i, Y] + d * x + c * y


@njit(cache=True)
def reach(par, i, j):
    """Radius at which the round body i meets body j: a ball touches a lower body above its own centre."""
    r = par[i, RADIUS]
    if par[i, SHAPE] == SPHERE and par[j, SHAPE] != SPHERE and par[j, HEIGHT] < r:
        low = r - par[j, HEIGHT]
        return sqrt(max(r * r - low * low, 1e-6))
    return r


@njit(cache=True)
def touch(par, corners, state, i, j, out):
    """Whether i and j overlap; out = normal from i to j (2), contact point (2), depth."""
    dx, dy = state[j, X] - state[i, X], state[j, Y] - state[i, Y]
    distance = length(dx, dy)
    if distance > par[i, BOUND] + par[j, BOUND] or distance < 1e-9:
        return False
    round_i, round_j = par[i, SHAPE] <= UPRIGHT, par[j, SHAPE] <= UPRIGHT
    if round_i and round_j:
        ri, rj = reach(par, i, j), reach(par, j, i)
        both = ri + rj
        if par[i, SHAPE] == SPHERE and par[j, SHAPE] == SPHERE:
            both = 2 * sqrt(ri * rj)
        if distance >= both:
            return False
        out[0], out[1] = dx / distance, dy / distance
        out[2], out[3] = state[i, X] + out[0] * ri, state[i, Y] + out[1] * ri
        out[4] = both - distance
        return True
    if round_i or round_j:
        p, c = (j, i) if round_i else (i, j)
        if not _round_on_prism(par, corners, state, p, c, out):
            return False
        if round_i:
            out[0], out[1] = -out[0], -out[1]
        return True
    return _prisms(par, corners, state, i, j, out)


@njit(cache=True)
def _round_on_prism(par, corners, state, p, c, out):
    """Contact with the normal from the prism p to the round body c."""
    r = reach(par, c, p)
    sides = int(par[p, SIDES])
    cx, cy = state[c, X], state[c, Y]
    deepest, side_x, side_y, inside = -1e9, 0.0, 0.0, True
    nearest, near_x, near_y = 1e9, 0.0, 0.0
    for s in range(sides):
        ax, ay = corners[p, s]
        bx, by = corners[p, (s + 1) % sides]
        ex, ey = bx - ax, by - ay
        side = max(length(ex, ey), 1e-9)
        nx, ny = ey / side, -ex / side  # outward for corners in positive order
        out_by = (cx - ax) * nx + (cy - ay) * ny
        if out_by > deepest:
            deepest, side_x, side_y = out_by, nx, ny
        inside = inside and out_by < 0
        t = min(max(((cx - ax) * ex + (cy - ay) * ey) / (side * side), 0.0), 1.0)
        d = length(cx - ax - t * ex, cy - ay - t * ey)
        if d < nearest:
            nearest, near_x, near_y = d, ax + t * ex, ay + t * ey
    if inside:
        out[0], out[1], out[2], out[3], out[4] = side_x, side_y, cx, cy, r - deepest
        return True
    if nearest >= r:
        return False
    out[0], out[1] = (cx - near_x) / max(nearest, 1e-9), (cy - near_y) / max(nearest, 1e-9)
    out[2], out[3], out[4] = near_x, near_y, r - nearest
    return True


@njit(cache=True)
def _prisms(par, corners, state, i, j, out):
    """Contact of two convex prisms by separating axes; the contact point is the mean of the deepest corners."""
    least, nx, ny, owner = 1e9, 0.0, 0.0, i
    for turn in range(2):
        p, q = (i, j) if turn == 0 else (j, i)
        sides, others = int(par[p, SIDES]), int(par[q, SIDES])
        for s in range(sides):
            ax, ay = corners[p, s]
            bx, by = corners[p, (s + 1) % sides]
            side = max(length(bx - ax, by - ay), 1e-9)
            ux, uy = (by - ay) / side, -(bx - ax) / side
            low = 1e9
            for o in range(others):
                qx, qy = corners[q, o]
                low = min(low, (qx - ax) * ux + (qy - ay) * uy)
            if low >= 0:
                return False
            if -low < least:
                least, nx, ny, owner = -low, ux, uy, p
    q = j if owner == i else i
    low, count, px, py = 1e9, 0, 0.0, 0.0
    for o in range(int(par[q, SIDES])):
        qx, qy = corners[q, o]
        d = qx * nx + qy * ny
        if d < low - 0.005:
            low, count, px, py = d, 1, qx, qy
        elif d < low + 0.005:
            count, px, py = count + 1, px + qx, py + qy
    sign = 1.0 if owner == i else -1.0
    out[0], out[1], out[2], out[3], out[4] = sign * nx, sign * ny, px / count, py / count, least
    return True


@njit(cache=True)
def bounce(par, state, i, j, hit):
    """Apply an impulse along the normal; return the largest change of a velocity, m/s."""
    nx, ny = hit[0], hit[1]
    free_i, free_j = 1.0 - par[i, FIXED], 1.0 - par[j, FIXED]
    wi, wj = free_i / par[i, MASS], free_j / par[j, MASS]
    if wi + wj <= 0:
        return 0.0
    push = 0.6 * max(hit[4] - 0.001, 0.0) / (wi + wj)
    state[i, X] -= push * wi * nx
    state[i, Y] -= push * wi * ny
    state[j, X] += push * wj * nx
    state[j, Y] += push * wj * ny
    rix, riy = hit[2] - state[i, X], hit[3] - state[i, Y]
    rjx, rjy = hit[2] - state[j, X], hit[3] - state[j, Y]
    if par[i, SHAPE] <= UPRIGHT:
        rix = riy = 0.0
    if par[j, SHAPE] <= UPRIGHT:
        rjx = rjy = 0.0
    vx = state[j, VX] - state[j, SPIN] * rjy - state[i, VX] + state[i, SPIN] * riy
    vy = state[j, VY] + state[j, SPIN] * rjx - state[i, VY] - state[i, SPIN] * rix
    closing = vx * nx + vy * ny
    if closing >= 0:
        return 0.0
    ci, cj = rix * ny - riy * nx, rjx * ny - rjy * nx
    turn_i, turn_j = free_i / par[i, INERTIA], free_j / par[j, INERTIA]
    elastic = par[i, RESTITUTION] * par[j, RESTITUTION] if closing < -0.08 else 0.0
    impulse = -(1 + elastic) * closing / (wi + wj + ci * ci * turn_i + cj * cj * turn_j)
    state[i, VX] -= impulse * wi * nx
    state[i, VY] -= impulse * wi * ny
    state[i, SPIN] -= impulse * ci * turn_i
    state[j, VX] += impulse * wj * nx
    state[j, VY] += impulse * wj * ny
    state[j, SPIN] += impulse * cj * turn_j
    return impulse * max(wi, wj)


@njit(cache=True)
def moving(state, i):
    """Whether body i moves noticeably."""
    return state[i, PRESENT] > 0 and (
        abs(state[i, VX]) + abs(state[i, VY]) > 2e-3 or abs(state[i, SPIN]) > 1e-2 or abs(state[i, UX]) + abs(state[i, UY]) > 2e-3
    )


@njit(cache=True)
def run(par, shapes, state, touched, reported, first, last, without, factor, poses, contacts, filled, influenced):
    """Simulate samples first+1..last in place, from the state at sample `first`; return the number of contacts.

    touched, reported [N, N]: time of the newest touch, and whether the current contact is reported already. poses [K, N, 4]: x,
    y,
    yaw, present. contacts: rows i, j, s, change of velocity. factor [N] scales the friction. influenced [N, N]: pairs that
    touched
    in this run.
    """
    n = par.shape[0]
    hit, corners = np.zeros(5), np.zeros((n, MAX_SIDES, 2))
    moves, near = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        place_corners(par, shapes, state, i, corners)
    for k in range(first, last):
        t0 = k * SAMPLE
        if _plan(par, state, t0, without, moves, near):
            for s in range(STEPS_A_SAMPLE):
                t = t0 + s * STEP
                for i in range(n):
                    if near[i]:
                        _move(par, shapes, state, i, t, factor[i], corners)
                filled = _meet(par, state, corners, near, touched, reported, t, contacts, filled, influenced, hit)
        for i in range(n):
            if moves[i] and not near[i]:
                for _ in range(LONE_STEPS):
                    drag(par, state, i, factor[i], SAMPLE / LONE_STEPS)
                    _advance(par, state, i, SAMPLE / LONE_STEPS)
                place_corners(par, shapes, state, i, corners)
            poses[k + 1, i, 0], poses[k + 1, i, 1], poses[k + 1, i, 2] = state[i, X], state[i, Y], state[i, YAW]
            poses[k + 1, i, 3] = state[i, PRESENT]
    return filled


@njit(cache=True)
def _plan(par, state, t0, without, moves, near):
    """Mark bodies that move in this sample, and bodies that may touch another one, are launched or are pushed.

    Return whether there is any of the latter.
    """
    n = par.shape[0]
    fine = False
    for i in range(n):
        moves[i] = near[i] = False
        if i == without:
            continue
        moves[i] = moving(state, i)
        near[i] = (state[i, PRESENT] == 0 and par[i, LAUNCH] <= t0 + SAMPLE) or (
            state[i, PRESENT] > 0 and state[i, PUSHED] == 0 and par[i, PUSH_AT] <= t0 + SAMPLE
        )
    for i in range(n):
        starts_i = near[i]
        for j in range(i + 1, n):
            starts = starts_i or (near[j] and not moves[j])
            if not (moves[i] or moves[j] or starts) or i == without or j == without:
                continue
            if not starts and (state[i, PRESENT] == 0 or state[j, PRESENT] == 0):
                continue
            reach_i = SAMPLE * (abs(state[i, VX]) + abs(state[i, VY])) + par[i, BOUND]
            reach_j = SAMPLE * (abs(state[j, VX]) + abs(state[j, VY])) + par[j, BOUND]
            reach = reach_i + reach_j + 0.05 + (0.6 if starts else 0.0)
            dx, dy = state[i, X] - state[j, X], state[i, Y] - state[j, Y]
            if dx * dx + dy * dy < reach * reach:
                near[i] = near[j] = True
        fine = fine or near[i]
    return fine


@njit(cache=True)
def _advance(par, state, i, step):
    state[i, X] += state[i, VX] * step
    state[i, Y] += state[i, VY] * step
    state[i, YAW] += state[i, SPIN] * step
    if state[i, X] * state[i, X] + state[i, Y] * state[i, Y] > GONE * GONE:
        state[i, VX] = state[i, VY] = state[i, UX] = state[i, UY] = state[i, SPIN] = 0.0


@njit(cache=True)
def _move(par, shapes, state, i, t, factor, corners):
    """Advance one body by one step: launch, push, friction, motion."""
    if state[i, PRESENT] == 0:
        if par[i, LAUNCH] > t:
            return
        launch(par, state, i)
        place_corners(par, shapes, state, i, corners)
    if state[i, PUSHED] == 0 and par[i, PUSH_AT] <= t:
        state[i, PUSHED] = 1.0
        state[i, VX] += par[i, PUSH_X]
        state[i, VY] += par[i, PUSH_Y]
        if par[i, SHAPE] == SPHERE:
            state[i, UX], state[i, UY] = state[i, VX], state[i, VY]
    if moving(state, i):
        drag(par, state, i, factor, STEP)
        _advance(par, state, i, STEP)
        if par[i, SIDES] > 0:
            place_corners(par, shapes, state, i, corners)


@njit(cache=True)
def _meet(par, state, corners, near, touched, reported, t, contacts, filled, influenced, hit):
    """Resolve the contacts of one step among bodies marked as near."""
    n = par.shape[0]
    for i in range(n):
        if not near[i] or state[i, PRESENT] == 0:
            continue
        for j in range(i + 1, n):
            if not near[j] or state[j, PRESENT] == 0:
                continue
            dx, dy, both = state[i, X] - state[j, X], state[i, Y] - state[j, Y], par[i, BOUND] + par[j, BOUND]
            if dx * dx + dy * dy > both * both or not (moving(state, i) or moving(state, j)):
                continue
            if not touch(par, corners, state, i, j, hit):
                continue
            change = bounce(par, state, i, j, hit)
            influenced[i, j] = influenced[j, i] = True
            if t - touched[i, j] > APART:
                reported[i, j] = 0.0
            touched[i, j] = t
            if change > MIN_CHANGE and reported[i, j] == 0:
                reported[i, j] = 1.0
                if filled < contacts.shape[0]:
                    contacts[filled, 0], contacts[filled, 1], contacts[filled, 2], contacts[filled, 3] = i, j, t, change
                    filled += 1
    return filled
