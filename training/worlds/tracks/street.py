"""A street or a hall, compiled: people with goals, groups, followers, meetings and waits; vehicles that give way; dogs.

Walkers follow a social force model with noise that is drawn beforehand, so that the same world can be simulated again without
one of them. Lengths in m, times in s.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from training.worlds.tracks.view import ground, look_at

MAX_AGENTS = 8
STEP = 0.1
LAST_LAUNCH = 14.0
NOISES = 6
# Columns of the parameters, one row per agent.
KIND, PACE, LAUNCH, X0, Y0, GX0, GY0, OUT0, STOPS, TURNS, WAIT, FRIEND, MEET_AT, LEADER, BACK, SIDE = range(16)
HALF_X, HALF_Y, TALL, LABEL, COLOUR, FINISH, PAUSES, RESTS, SHAKY, POLITE, ROAM, REST_FOR = range(16, 28)
PARAMETERS = 28
# Columns of the state, one row per agent. MODE: see below.
X, Y, VX, VY, GX, GY, OUTSIDE, MODE, TIMER, PRESENT, HEADING, MET = range(12)
STATES = 12
WALKS, STANDS, TALKS, YIELDS = 0, 1, 2, 3
PERSON, VEHICLE, ANIMAL, BODY = 0, 1, 2, 3
PUSH = 0.15  # m/s²; a weaker social force does not count as an influence


@njit(cache=True)
def draw_camera(camera):
    """Draw a camera; return the upper end of the walkable ground in frame heights."""
    u = np.random.uniform
    r = np.random.random()
    aspect = 4 / 3 if r < 0.4 else 16 / 9 if r < 0.85 else u(1.2, 1.9)
    focal, horizon, height = u(0.8, 2.0), u(-0.5, 0.3), np.exp(u(np.log(2.3), np.log(14.0)))
    if np.random.random() < 0.1:
        horizon = u(-2.5, -0.8)
    down = (0.5 - horizon) / focal
    look_at(camera, np.array([0.0, 0.0, height]), np.array([0.0, 10.0, height - 10.0 * down]),
            np.radians(np.random.normal(0.0, 1.0)), focal, aspect)  # fmt: skip
    return max(0.0, horizon) + u(0.08, 0.25) if horizon > -0.3 else 0.02


@njit(cache=True)
def somewhere(camera, top, u, v, out):
    """Map two uniform numbers to a point of the ground: in the picture, or just beyond one of its edges if `out`."""
    aspect = camera[13]
    if not out:
        return ground(camera, (0.03 + 0.94 * u) * aspect, top + (1.05 - top) * v)
    if u < 0.44:
        return ground(camera, -0.18 - 0.1 * v, top + (1.1 - top) * v)
    if u < 0.88:
        return ground(camera, aspect + 0.18 + 0.1 * v, top + (1.1 - top) * v)
    return ground(camera, v * aspect, 1.5)


@njit(cache=True)
def draw(par, camera, top):
    """Fill the agents of a scene; return their number."""
    u = np.random.uniform
    count = np.random.randint(1, MAX_AGENTS + 1)
    traffic = u(0.0, 0.6) if np.random.random() < 0.35 else 0.0
    still, early, stops, turns = u(0.0, 0.4), u(0.3, 0.95), u(0.0, 0.09), u(0.0, 0.09)
    lane_x, lane_y, _ = somewhere(camera, top, u(0.0, 0.43), u(0.2, 0.9), True)
    lane_gx, lane_gy, _ = somewhere(camera, top, u(0.45, 0.87), u(0.2, 0.9), True)
    for i in range(count):
        par[i] = 0.0
        par[i, FRIEND] = par[i, LEADER] = -1
        par[i, COLOUR] = np.random.randint(0, 8)
        r = np.random.random()
        if r < traffic:
            _vehicle(par, i)
        elif r < traffic + 0.05:
            par[i, KIND], par[i, LABEL], par[i, PACE] = ANIMAL, 4, u(0.6, 2.5)
            par[i, HALF_X], par[i, HALF_Y], par[i, TALL] = u(0.25, 0.5), 0.15, u(0.3, 0.8)
        elif r < traffic + 0.08:
            par[i, KIND], par[i, LABEL] = BODY, np.random.randint(8, 12)
            par[i, HALF_X], par[i, HALF_Y], par[i, TALL] = u(0.1, 0.4), u(0.1, 0.4), u(0.2, 0.9)
        else:
            par[i, PACE] = max(0.5, np.random.normal(1.25, 0.3)) * (2.2 if u(0.0, 1.0) < 0.06 else 1.0)
            par[i, HALF_X], par[i, HALF_Y], par[i, TALL] = u(0.2, 0.32), u(0.22, 0.3), max(1.0, np.random.normal(1.7, 0.12))
        par[i, STOPS], par[i, TURNS] = stops * u(0.3, 2.0), turns * u(0.3, 2.0)
        par[i, WAIT], par[i, SHAKY] = u(1.5, 8.0), u(0.1, 0.6)
        par[i, PAUSES], par[i, FINISH], par[i, POLITE] = u(0.1, 0.9), u(0.2, 0.9), (1.0 if u(0.0, 1.0) < 0.7 else 0.0)
        par[i, RESTS] = (1.0 if u(0.0, 1.0) < still else 0.0) if par[i, KIND] != BODY else 1.0
        par[i, REST_FOR] = 1e6 if par[i, KIND] == BODY else np.random.exponential(long_rest(par, i))
        par[i, ROAM] = 1.0 if u(0.0, 1.0) < 0.1 else 0.0
        inside = u(0.0, 1.0) < early or par[i, KIND] == BODY
        start(par, i, camera, top, 0.0 if inside else u(0.2, LAST_LAUNCH), inside)
        if par[i, LABEL] in (1, 2):
            along = u(-0.1, 1.0) if inside else 0.0
            side = np.random.normal(0.0, 0.5)
            flip = u(0.0, 1.0) < 0.3
            par[i, X0], par[i, Y0] = lane_x + along * (lane_gx - lane_x), lane_y + along * (lane_gy - lane_y) + side
            par[i, GX0], par[i, GY0], par[i, OUT0] = lane_gx, lane_gy + side, 1.0
            if flip:
                par[i, GX0], par[i, GY0] = lane_x, lane_y + side - 3.5
                par[i, X0], par[i, Y0] = lane_gx + along * (lane_x - lane_gx), lane_gy + along * (lane_y - lane_gy) + side - 3.5
    for i in range(count):
        if par[i, KIND] == PERSON or par[i, KIND] == ANIMAL:
            _company(par, i, count)
    return count


@njit(cache=True)
def long_rest(par, i):
    """Mean time in s for which an agent rests that rests when the scene begins."""
    return 3.0 * par[i, WAIT] * (0.3 + par[i, PAUSES])


@njit(cache=True)
def _vehicle(par, i):
    u = np.random.uniform
    par[i, KIND] = VEHICLE
    r = np.random.random()
    if r < 0.6:
        par[i, LABEL], par[i, PACE] = 1, u(3.0, 10.0)
        par[i, HALF_X], par[i, HALF_Y], par[i, TALL] = u(1.8, 2.3), u(0.8, 0.95), u(1.4, 1.8)
    elif r < 0.75:
        par[i, LABEL], par[i, PACE] = 2, u(3.0, 8.0)
        par[i, HALF_X], par[i, HALF_Y], par[i, TALL] = u(2.5, 4.0), u(1.0, 1.25), u(2.2, 3.4)
    else:
        par[i, LABEL], par[i, PACE] = 3, u(2.0, 5.0)
        par[i, HALF_X], par[i, HALF_Y], par[i, TALL] = u(0.7, 0.9), u(0.25, 0.3), u(1.5, 1.8)


@njit(cache=True)
def start(par, i, camera, top, at, inside):
    """Draw where agent i comes from, where it goes and when it appears."""
    u = np.random.uniform
    par[i, LAUNCH] = at
    for _ in range(20):
        x, y, depth = somewhere(camera, top, u(0.0, 1.0), u(0.0, 1.0), not inside)
        clear = depth < 60
        for j in range(i):
            clear = clear and (par[j, LAUNCH] > 0 or np.hypot(x - par[j, X0], y - par[j, Y0]) > 0.8)
        if clear:
            break
    par[i, X0], par[i, Y0] = x, y
    out = u(0.0, 1.0) < par[i, FINISH] and inside or u(0.0, 1.0) < 0.5 * par[i, FINISH]
    gx, gy, _ = somewhere(camera, top, u(0.0, 1.0), u(0.0, 1.0), out)
    par[i, GX0], par[i, GY0], par[i, OUT0] = gx, gy, (1.0 if out else 0.0)


@njit(cache=True)
def _company(par, i, count):
    """Make some agents walk with another one, follow it, or go to meet it."""
    u = np.random.uniform
    j = np.random.randint(0, count)
    if j == i or par[j, KIND] != PERSON or par[j, LEADER] >= 0:
        return
    r = np.random.random()
    if r < 0.22 and par[i, LAUNCH] == par[j, LAUNCH] and i > j:
        par[i, LEADER] = j
        par[i, BACK] = u(-0.3, 0.3) if r < 0.13 else u(1.2, 4.0)
        par[i, SIDE] = (u(0.6, 1.0) if r < 0.13 else u(-0.5, 0.5)) * (1 if u(0.0, 1.0) < 0.5 else -1)
        c = u(0.0, 2 * np.pi)
        par[i, X0], par[i, Y0] = par[j, X0] + np.cos(c) * (0.8 + par[i, BACK]), par[j, Y0] + np.sin(c) * (0.8 + par[i, BACK])
        par[i, GX0], par[i, GY0], par[i, OUT0] = par[j, GX0], par[j, GY0], par[j, OUT0]
    elif r < 0.45:
        par[i, FRIEND], par[i, MEET_AT] = j, u(0.0, 12.0)


@njit(cache=True)
def reroll(par, state, camera, top, now):
    """Redraw everything that is unknown at `now` s: later agents, plans, remaining waits and goals."""
    for i in range(par.shape[0]):
        if state[i, PRESENT] == 0:
            if par[i, LAUNCH] > now and par[i, KIND] != BODY:
                at = np.random.uniform(now, max(LAST_LAUNCH, now + 0.1))
                if par[i, LABEL] in (1, 2):
                    par[i, LAUNCH] = at
                else:
                    start(par, i, camera, top, at, False)
            continue
        if par[i, MEET_AT] > now:
            par[i, MEET_AT] = np.random.uniform(now, max(12.0, now + 0.5))
        if state[i, MODE] != WALKS and state[i, TIMER] < 100:
            since_start = par[i, RESTS] > 0 and np.hypot(state[i, X] - par[i, X0], state[i, Y] - par[i, Y0]) < 0.3
            state[i, TIMER] = np.random.exponential(long_rest(par, i) if since_start else par[i, WAIT])
        if par[i, KIND] == PERSON or par[i, KIND] == ANIMAL:
            turn, longer = np.random.normal(0.0, 0.12), np.exp(np.random.normal(0.0, 0.35))
            dx, dy = (state[i, GX] - state[i, X]) * longer, (state[i, GY] - state[i, Y]) * longer
            c, s = np.cos(turn), np.sin(turn)
            state[i, GX], state[i, GY] = state[i, X] + c * dx - s * dy, state[i, Y] + s * dx + c * dy
            par[i, PACE] *= np.exp(np.random.normal(0.0, 0.05))


@njit(cache=True)
def appear(par, state, i):
    """Place agent i at its start."""
    state[i, X], state[i, Y], state[i, GX], state[i, GY] = par[i, X0], par[i, Y0], par[i, GX0], par[i, GY0]
    state[i, OUTSIDE], state[i, PRESENT] = par[i, OUT0], 1.0
    state[i, HEADING] = np.arctan2(state[i, GY] - state[i, Y], state[i, GX] - state[i, X])
    if par[i, RESTS] > 0:
        state[i, MODE], state[i, TIMER] = STANDS, par[i, REST_FOR]
        return
    state[i, VX], state[i, VY] = par[i, PACE] * np.cos(state[i, HEADING]), par[i, PACE] * np.sin(state[i, HEADING])


@njit(cache=True)
def new_goal(par, state, i, camera, top, z):
    """Choose a new goal for agent i from the noise z."""
    out = z[2] < par[i, FINISH] * 0.5
    u, v = z[3], z[4]
    gx, gy, depth = somewhere(camera, top, u, v, out)
    if par[i, ROAM] > 0 or depth > 60:
        gx, gy, out = state[i, X] + 3 * (u - 0.5), state[i, Y] + 3 * (v - 0.5), False
    state[i, GX], state[i, GY], state[i, OUTSIDE], state[i, MODE] = gx, gy, (1.0 if out else 0.0), WALKS


@njit(cache=True)
def ahead(state, i, j):
    """Distances of j from i along and across the heading of i."""
    dx, dy = state[j, X] - state[i, X], state[j, Y] - state[i, Y]
    c, s = np.cos(state[i, HEADING]), np.sin(state[i, HEADING])
    return c * dx + s * dy, abs(-s * dx + c * dy)


@njit(cache=True)
def drive(par, state, i, without, z, influenced):
    """Advance a car or truck by one step: it steers towards its goal and brakes for obstacles ahead."""
    speed = np.hypot(state[i, VX], state[i, VY])
    wanted = par[i, PACE]
    for j in range(par.shape[0]):
        if j == i or j == without or state[j, PRESENT] != 1:
            continue
        far, aside = ahead(state, i, j)
        wide = par[i, HALF_Y] + (par[j, HALF_Y] if par[j, KIND] == VEHICLE else 0.4) + 0.4
        if par[j, KIND] == PERSON and par[i, POLITE] > 0:
            wide += 1.2
        room = far - par[i, HALF_X] - (par[j, HALF_X] if par[j, KIND] == VEHICLE else 0.3) - 1.5
        if far > 0 and aside < wide and room < 3 + speed * speed / 4.0:
            wanted = min(wanted, np.sqrt(max(0.0, 2 * 2.0 * max(room, 0.0))))
            influenced[i, j] = True
    if state[i, MODE] == STANDS:
        state[i, TIMER] -= STEP
        wanted = 0.0
        if state[i, TIMER] <= 0:
            state[i, MODE] = WALKS
    elif z[2] < par[i, STOPS] * STEP * 0.5:
        state[i, MODE], state[i, TIMER] = STANDS, -np.log(max(z[5], 1e-6)) * par[i, WAIT]
    speed += min(max(wanted - speed, -4.0 * STEP), 1.8 * STEP) + 0.02 * z[0]
    speed = max(speed, 0.0) if wanted > 0.05 or speed > 0.06 else 0.0
    way = np.arctan2(state[i, GY] - state[i, Y], state[i, GX] - state[i, X])
    turn = (way - state[i, HEADING] + np.pi) % (2 * np.pi) - np.pi
    state[i, HEADING] += min(max(turn, -0.5 * STEP), 0.5 * STEP) * min(1.0, speed / 2)
    state[i, VX], state[i, VY] = speed * np.cos(state[i, HEADING]), speed * np.sin(state[i, HEADING])
    if np.hypot(state[i, GX] - state[i, X], state[i, GY] - state[i, Y]) < 3:
        state[i, PRESENT] = 2.0


@njit(cache=True)
def social_forces(par, state, i, without, mode, pace, friend, leader, influenced):
    """Acceleration of i by the agents around it, and its pace, 0 while it waits for a vehicle.

    friend is not avoided and leader is approached more closely; -1 for none.
    """
    ax, ay = 0.0, 0.0
    for j in range(par.shape[0]):
        if j == i or j == without or state[j, PRESENT] != 1:
            continue
        ox, oy = state[i, X] - state[j, X], state[i, Y] - state[j, Y]
        d = max(np.hypot(ox, oy), 0.05)
        if par[j, KIND] == VEHICLE and par[j, LABEL] != 3:
            f, aside = ahead(state, j, i)
            speed = np.hypot(state[j, VX], state[j, VY])
            if speed > 1.0 and f > 0 and f < 3 + 2.5 * speed and aside < 4.5 and aside > 1.3 and pace > 0:
                toward = -(ox * state[i, VX] + oy * state[i, VY])
                if toward > -0.5:
                    pace = 0.0
                    influenced[i, j] = True
            d -= 1.2
        if d > 3 or j == friend:
            continue
        reach = 0.35 if j == leader else 0.5
        push = 2.5 * np.exp((reach - d) / 0.35)
        if state[i, VX] * ox + state[i, VY] * oy > 0:
            push *= 0.4
        if mode != WALKS:
            push *= 0.3
        if push > PUSH:
            influenced[i, j] = True
        ax += push * (ox / d - 0.25 * oy / d)
        ay += push * (oy / d + 0.25 * ox / d)
    return ax, ay, pace


@njit(cache=True)
def walk(par, state, i, t, without, camera, top, z, influenced):
    """Advance a person, an animal or a cyclist by one step."""
    mode = int(state[i, MODE])
    friend, leader = int(par[i, FRIEND]), int(par[i, LEADER])
    with_friend = friend >= 0 and friend != without and state[friend, PRESENT] == 1 and state[i, MET] == 0
    with_friend = with_friend and t >= par[i, MEET_AT] and state[friend, OUTSIDE] == 0
    led = leader >= 0 and leader != without and state[leader, PRESENT] == 1
    tx, ty, pace = state[i, GX], state[i, GY], par[i, PACE]
    if led:
        c, s = np.cos(state[leader, HEADING]), np.sin(state[leader, HEADING])
        tx = state[leader, X] - c * par[i, BACK] - s * par[i, SIDE]
        ty = state[leader, Y] - s * par[i, BACK] + c * par[i, SIDE]
        influenced[i, leader] = True
        mode = WALKS
        pace = par[leader, PACE] * 1.25
    elif with_friend:
        tx, ty = state[friend, X], state[friend, Y]
        influenced[i, friend] = influenced[friend, i] = True
        mode = WALKS
    dx, dy = tx - state[i, X], ty - state[i, Y]
    far = np.hypot(dx, dy)
    if mode == STANDS or mode == TALKS:
        pace = 0.0
        state[i, TIMER] -= STEP
        if state[i, TIMER] <= 0:
            new_goal(par, state, i, camera, top, z)
    elif led:
        pace = min(pace, far / 0.7)
    elif with_friend:
        if far < 1.0:
            for a in (i, friend):
                state[a, MODE], state[a, MET] = TALKS, 1.0
                state[a, TIMER] = -np.log(max(z[5], 1e-6)) * par[i, WAIT] + 1.5
        elif far < 4 and state[friend, MODE] == WALKS and par[friend, KIND] == PERSON and par[friend, POLITE] > 0:
            state[friend, MODE], state[friend, TIMER] = STANDS, 4.0
    elif far < 0.6:
        pace = 0.0
        if state[i, OUTSIDE] > 0:
            state[i, PRESENT] = 2.0
        elif z[2] < par[i, PAUSES]:
            state[i, MODE], state[i, TIMER] = STANDS, -np.log(max(z[5], 1e-6)) * par[i, WAIT]
        else:
            new_goal(par, state, i, camera, top, z)
    elif z[2] < par[i, STOPS] * STEP:
        state[i, MODE], state[i, TIMER] = STANDS, -np.log(max(z[5], 1e-6)) * par[i, WAIT]
    elif z[2] > 1 - par[i, TURNS] * STEP:
        new_goal(par, state, i, camera, top, z)
    ax, ay, pace = social_forces(
        par, state, i, without, mode, pace, friend if with_friend else -1, leader if led else -1, influenced
    )
    way = pace / max(far, 0.05)
    ax += (dx * way - state[i, VX]) / 0.5 + par[i, SHAKY] * z[0] * (1.0 if pace > 0 else 0.1)
    ay += (dy * way - state[i, VY]) / 0.5 + par[i, SHAKY] * z[1] * (1.0 if pace > 0 else 0.1)
    size = np.hypot(ax, ay)
    scale = min(1.0, 5.0 / max(size, 1e-9)) * STEP
    state[i, VX] += ax * scale
    state[i, VY] += ay * scale
    if np.hypot(state[i, VX], state[i, VY]) > 0.2:
        state[i, HEADING] = np.arctan2(state[i, VY], state[i, VX])


@njit(cache=True)
def run(par, state, camera, top, noise, first, last, without, poses, influenced):
    """Simulate samples first+1..last in place, from the state at `first`.

    poses [K, N, 4]: x, y, heading, present. influenced [N, N]: i was influenced by j.
    """
    n = par.shape[0]
    for k in range(first, last):
        t = k * STEP
        for i in range(n):
            if i == without or state[i, PRESENT] == 2:
                continue
            if state[i, PRESENT] == 0:
                if par[i, LAUNCH] <= t:
                    appear(par, state, i)
                continue
            if par[i, KIND] == BODY:
                continue
            if par[i, KIND] == VEHICLE and par[i, LABEL] != 3:
                drive(par, state, i, without, noise[k, i], influenced)
            else:
                walk(par, state, i, t, without, camera, top, noise[k, i], influenced)
            state[i, X] += state[i, VX] * STEP
            state[i, Y] += state[i, VY] * STEP
        for i in range(n):
            poses[k + 1, i, 0], poses[k + 1, i, 1], poses[k + 1, i, 2] = state[i, X], state[i, Y], state[i, HEADING]
            poses[k + 1, i, 3] = 1.0 if state[i, PRESENT] == 1 else 0.0
