"""Rigid-body simulation of a scene with Bullet: poses at the frames of a video, and the times of contacts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pybullet as bullet

from training.worlds.pixels.bodies import Body, rest_height

MIN_STEP_HZ = 240  # simulation steps per second
PARKED = 1000.0  # m; x and y of bodies that are not launched
GRAVITY = 9.81  # m/s²


@dataclass
class Motion:
    """Result of a simulation.

    positions (frames, bodies, 3) m; rotations (frames, bodies, 3, 3) local to world; present (frames, bodies);
    touches {(i, j): times in s of every step in contact} with body indices i < j.
    """

    positions: np.ndarray
    rotations: np.ndarray
    present: np.ndarray
    touches: dict[tuple[int, int], list[float]]


def _shape(body: Body, client: int) -> int:
    a, b, c = body.half
    if body.shape == "sphere":
        return bullet.createCollisionShape(bullet.GEOM_SPHERE, radius=a, physicsClientId=client)
    if body.round:
        return bullet.createCollisionShape(bullet.GEOM_CYLINDER, radius=a, height=2 * c, physicsClientId=client)
    if body.shape in ("cube", "box"):
        return bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=[a, b, c], physicsClientId=client)
    points = [list(map(float, p)) for p in body.vertices()]
    return bullet.createCollisionShape(bullet.GEOM_MESH, vertices=points, physicsClientId=client)


def _orientation(body: Body) -> list[float]:
    return bullet.getQuaternionFromEuler([np.pi / 2 if body.lying else 0.0, 0.0, body.yaw])


def _add(body: Body, client: int, absent: bool) -> int:
    waits = body.launch > 0 or absent
    place = [PARKED + 10 * body.id, PARKED, rest_height(body)] if waits else list(body.position)
    handle = bullet.createMultiBody(
        0.0 if body.fixed else body.mass,
        _shape(body, client),
        -1,
        place,
        _orientation(body),
        useMaximalCoordinates=1,
        physicsClientId=client,
    )
    bullet.changeDynamics(
        handle,
        -1,
        lateralFriction=body.friction,
        rollingFriction=body.rolling,
        spinningFriction=body.rolling,
        restitution=body.restitution,
        linearDamping=0.0,
        angularDamping=0.02,
        activationState=bullet.ACTIVATION_STATE_ENABLE_SLEEPING,
        physicsClientId=client,
    )
    if not waits and not body.fixed:
        _throw(body, handle, client)
    return handle


def _throw(body: Body, handle: int, client: int) -> None:
    vx, vy, vz = body.velocity
    spin = [0.0, 0.0, body.spin]
    if body.shape == "sphere":  # it rolls instead of sliding
        spin = [-vy / body.half[0], vx / body.half[0], body.spin]
    bullet.resetBasePositionAndOrientation(handle, body.position, _orientation(body), physicsClientId=client)
    _move(handle, [vx, vy, vz], spin, client)


def _move(handle: int, velocity: list[float], spin: list[float], client: int) -> None:
    bullet.changeDynamics(handle, -1, activationState=bullet.ACTIVATION_STATE_WAKE_UP, physicsClientId=client)
    bullet.resetBaseVelocity(handle, velocity, spin, physicsClientId=client)


def simulate(bodies: list[Body], floor_friction: float, fps: float, frames: int, without: int | None = None) -> Motion:
    """Simulate `frames` frames. The same arguments give the same motion.

    without: index of a body that stays away, for counterfactuals. The body is parked instead of removed because the order of
    the bodies changes the rounding of the solver.
    """
    client = bullet.connect(bullet.DIRECT)
    try:
        bullet.setGravity(0, 0, -GRAVITY, physicsClientId=client)
        per_frame = int(np.ceil(MIN_STEP_HZ / fps))
        step = 1.0 / (fps * per_frame)
        bullet.setPhysicsEngineParameter(fixedTimeStep=step, deterministicOverlappingPairs=1, physicsClientId=client)
        floor = bullet.createMultiBody(
            0,
            bullet.createCollisionShape(bullet.GEOM_PLANE, physicsClientId=client),
            useMaximalCoordinates=1,
            physicsClientId=client,
        )
        bullet.changeDynamics(
            floor, -1, lateralFriction=floor_friction, restitution=0.5, rollingFriction=0.0, physicsClientId=client
        )
        handles = {i: _add(b, client, i == without) for i, b in enumerate(bodies)}
        return _run(bodies, handles, without, client, fps, per_frame, frames)
    finally:
        bullet.disconnect(client)


def _run(
    bodies: list[Body], handles: dict[int, int], without: int | None, client: int, fps: float, per_frame: int, frames: int
) -> Motion:
    index = {h: i for i, h in handles.items()}
    n = len(bodies)
    motion = Motion(np.zeros((frames, n, 3)), np.tile(np.eye(3), (frames, n, 1, 1)), np.zeros((frames, n), bool), {})
    step = 1.0 / (fps * per_frame)
    waiting = {i for i in handles if bodies[i].launch > 0 or i == without}
    unpushed = {i for i in handles if bodies[i].push and i != without}
    for s in range((frames - 1) * per_frame + 1):
        t = s * step
        for i in [i for i in waiting if bodies[i].launch <= t and i != without]:
            _throw(bodies[i], handles[i], client)
            waiting.discard(i)
        for i, push in [(i, push) for i in unpushed if (push := bodies[i].push) and push[0] <= t]:
            (vx, vy, vz), spin = bullet.getBaseVelocity(handles[i], physicsClientId=client)
            dx, dy = push[1]
            _move(handles[i], [vx + dx, vy + dy, vz], spin, client)
            unpushed.discard(i)
        if s % per_frame == 0:
            _record(motion, s // per_frame, handles, waiting, client)
        bullet.stepSimulation(physicsClientId=client)
        for contact in bullet.getContactPoints(physicsClientId=client):
            if contact[1] in index and contact[2] in index and (contact[8] < 1e-3 or contact[9] > 0):
                i, j = index[contact[1]], index[contact[2]]
                times = motion.touches.setdefault((min(i, j), max(i, j)), [])
                if not times or times[-1] < t + step - 1e-9:
                    times.append(t + step)
    return motion


def _record(motion: Motion, frame: int, handles: dict[int, int], waiting: set[int], client: int) -> None:
    for i, h in handles.items():
        place, quaternion = bullet.getBasePositionAndOrientation(h, physicsClientId=client)
        motion.positions[frame, i] = place
        motion.rotations[frame, i] = np.reshape(bullet.getMatrixFromQuaternion(quaternion), (3, 3))
        motion.present[frame, i] = i not in waiting
