"""Features of the cause head: motion of each object, interactions of pairs, and unhindered motion."""

from __future__ import annotations

import torch
from torch import Tensor

from training.models.forecaster import KINDS, clamped
from training.models.kinematics import BORDER, HZ, Motion, bend, border_gaps, box_gaps, braking, carried, length, slope, squash

STEPS = 100
AFTER_S = 0.4
EVENT_STEP = STEPS - 1 - round(AFTER_S * HZ)
STRIDE = 3
"""Pairs are evaluated every 0.3 s; the step of the event is among these."""
OFFSET = EVENT_STEP % STRIDE
NODE_CHANNELS, STATIC, MOMENT_CHANNELS, REACH_CHANNELS = 19, 18, 26, 7
MAX_CHAIN = 6
NEVER_S = 20.0
CONTACT_FLOOR = 0.05
ORDER_SLACK_S = 0.15
CONTACT_SPREAD_S = 0.25
BEND_WINDOW = 6
NOT_SEEN = 50.0
SHARPNESS = 12.0
NEAR = 1.0
"""Pairs whose boxes never come nearer than this many mean sizes are unrelated."""
WHAT_IF_SLACK_S = (-0.35, 0.0, 0.35)
BEFORE_CONTACT, AFTER_CONTACT = 1, -2
"""Offsets in steps of 0.3 s at which the course of the event is read before and after each moment."""


class MotionStates:
    """Motion before and after each step, and the later position of each object if its motion had continued."""

    def __init__(self, motion: Motion):
        self.centre, self.seen = motion.centre, motion.seen
        self.shape = motion.now[..., 2:]
        self.size = (motion.now[..., 2] * motion.now[..., 3]).clamp(min=1e-6).sqrt()
        self.before, self.known_before = slope(self.centre, self.seen, 4)
        self.after, self.known_after = slope(self.centre, self.seen, 0, 4)
        self.velocity, acceleration = bend(self.centre, self.seen, BEND_WINDOW)
        self.brake = braking(self.velocity, acceleration)
        steps = torch.arange(STEPS, dtype=self.seen.dtype, device=self.seen.device)
        early = self.seen * (steps <= EVENT_STEP).to(self.seen.dtype) * (steps + 1)
        newest = early.amax(2, keepdim=True)
        pick = ((early == newest) & (newest > 0)).to(self.seen.dtype)
        self.at_event = (self.centre * pick[..., None]).sum(2)
        self.left = ((EVENT_STEP - steps) / HZ)[:, None]
        self.unhindered = self.centre + carried(self.velocity, self.brake, self.left.clamp(min=0))
        self.changed = (self.after - self.before) * (self.known_before * self.known_after)[..., None]

    def moments(self, motion: Motion) -> Moments:
        """State at every third step."""
        size = self.size[..., None, None].expand_as(self.brake)
        shape = self.shape[:, :, None].expand_as(self.centre)
        columns = [motion.boxes, self.centre, self.velocity, self.brake, self.before, self.after, self.changed, shape, size]
        return Moments(torch.cat([*columns, self.seen[..., None]], -1)[:, :, OFFSET::STRIDE])


class Moments:
    """States of objects at moments [..., T / 3, 19], by name."""

    def __init__(self, values: Tensor):
        self.values = values
        columns = values.split([4, 2, 2, 1, 2, 2, 2, 2, 1, 1], -1)
        self.boxes, self.centre, self.velocity, self.brake, self.before, self.after, self.changed = columns[:7]
        self.shape, self.size, self.seen = columns[7:]

    def of(self, index: Tensor) -> Moments:
        """States of the objects index [P], counted over scenes and objects: [P, T / 3, 19]."""
        return Moments(self.values.flatten(0, 1).index_select(0, index))

    def participant(self, share: Tensor) -> Moments:
        """State of the one object of each scene whose share [B, N] is 1: [B, T / 3, 19]; zeros if there is none."""
        return Moments((self.values * share[..., None, None]).sum(1))


class Reach:
    """Objects connected to the participants by reported contacts, backwards in time.

    This is the rule of transitive touch with its times. roles [B, N, 3], contact [B, N, N, 2]; all results are [B, N].
    """

    def __init__(self, contact: Tensor, roles: Tensor):
        contact = torch.where(torch.isnan(contact), torch.zeros_like(contact), contact)
        self.confidence = contact[..., 0].clamp(0, 1)
        self.seconds = contact[..., 1].clamp(0, NEVER_S)
        reported = self.confidence > CONTACT_FLOOR
        never = torch.full_like(self.seconds, NEVER_S)
        when = torch.where(reported, self.seconds, never)
        participants = 1 - roles[..., 0]
        self.since = (1 - participants) * NEVER_S
        self.trust, self.hops = participants, participants * MAX_CHAIN
        for step in range(1, MAX_CHAIN):
            # A contact influences the event if it precedes the time from which the state of the other object influences it.
            joins = reported & (when > self.since[:, None] - ORDER_SLACK_S) & (self.since[:, None] < NEVER_S)
            self.since = torch.minimum(self.since, torch.where(joins, when, never).amin(2))
            carried = torch.where(joins, self.confidence * self.trust[:, None], torch.zeros_like(when))
            self.trust = torch.maximum(self.trust, carried.amax(2))
            self.hops = torch.maximum(self.hops, (self.since < NEVER_S).to(when.dtype) * (MAX_CHAIN - step))
        self.reported = reported.to(when.dtype)

    def nodes(self) -> Tensor:
        """Features of objects [B, N, 4]."""
        reached = (self.since < NEVER_S).to(self.since.dtype)
        return torch.stack([reached, self.since * reached / 4, self.trust, self.hops / MAX_CHAIN], -1)

    def pairs(self) -> Tensor:
        """Features of pairs [B, N, N, 7]."""
        reached = (self.since < NEVER_S).to(self.since.dtype)
        later = (self.seconds - self.since[:, None]) * self.reported * reached[:, None]
        sooner = (self.seconds - self.since[:, :, None]) * self.reported * reached[:, :, None]
        joins = [(gap > -ORDER_SLACK_S).to(gap.dtype) * self.reported for gap in (later, sooner)]
        features = [self.confidence, self.reported, self.seconds / 4 * self.reported, squash(later), squash(sooner)]
        return torch.stack([*features, joins[0] * reached[:, None], joins[1] * reached[:, :, None]], -1)


def node_features(motion: Motion, states: MotionStates, roles: Tensor, aspect: Tensor) -> Tensor:
    """Motion features [B, N, T / 3, 19], in sizes of the object."""
    size = states.size[..., None, None]
    seen = motion.seen[..., None]
    home = states.at_event[:, :, None]
    before, after = states.before / size, states.after / size
    speed = length(before)
    toward, reached = [], []
    for role in (1, 2):
        share = roles[..., role, None, None]
        path, shown = (motion.boxes * share).sum(1, keepdim=True), (seen * share).sum(1, keepdim=True)
        gap = box_gaps(motion.boxes, path.expand_as(motion.boxes))[..., 2:] / size
        toward.append(squash(gap) * shown)
        target = (states.at_event * roles[..., role : role + 1]).sum(1)[:, None, None]
        reached.append(squash(length(states.unhindered - target) / size))
    sides = border_gaps(motion.boxes, aspect[:, None, None])
    touch = (sides.amin(-1, keepdim=True) < BORDER).to(speed.dtype)
    shape = torch.stack([motion.boxes[..., 3] / size[..., 0] - 1, motion.boxes[..., 2] / size[..., 0] - 1], -1)
    missed = squash(length(states.unhindered - home) / size)
    changed = squash(length(states.changed / size))
    features = [squash((motion.centre - home) / size), squash(before), squash(after), squash(speed), changed, missed]
    features += [*toward, *reached, squash(shape), touch, states.known_before[..., None]]
    moving = torch.sigmoid((speed - 0.25) / 0.08)
    return torch.cat([*(values * seen for values in features), seen, moving * seen], -1)[:, :, OFFSET::STRIDE]


def static_features(motion: Motion, kind: Tensor, age: Tensor, roles: Tensor, reach: Reach) -> Tensor:
    """Constant features [B, N, 18]."""
    kinds = (kind[..., None] == torch.arange(KINDS, device=kind.device)).to(roles.dtype)
    direct = [(reach.reported * roles[:, None, :, role]).sum(2) for role in (1, 2)]
    scalars = [torch.log(motion.height) + 2, torch.log1p(clamped(age)) - 1, motion.seen.mean(2)]
    scalars += [motion.seen[..., EVENT_STEP], motion.seen[..., EVENT_STEP - 20], *direct]
    return torch.cat([kinds, roles, torch.stack([squash(s) for s in scalars], -1), reach.nodes()], -1)


class Near:
    """Pairs that may have influenced each other, as flat indices: features are computed for these only."""

    def __init__(self, moments: Moments, roles: Tensor, reach: Reach):
        batch, things = roles.shape[:2]
        both = moments.seen[:, :, None, :, 0] * moments.seen[:, None, :, :, 0]
        size = (moments.size[:, :, None, 0] + moments.size[:, None, :, 0])[..., 0] / 2
        gaps = box_gaps(moments.boxes[:, :, None], moments.boxes[:, None])[..., 2] + (1 - both) * NOT_SEEN
        participants = roles[..., 1:].sum(-1)
        together = (participants[:, :, None] * participants[:, None] > 0) | (reach.reported > 0) | (gaps.amin(-1) < NEAR * size)
        thing = torch.arange(things, device=roles.device)
        kept = together & (both.amax(-1) > 0) & (thing[:, None] != thing)
        self.kept = kept.flatten().to(torch.int64)
        # Row 0 stands for all pairs that are left out, so that there is always a row.
        flat = torch.cat([torch.zeros_like(self.kept[:1]), self.kept.nonzero()[:, 0]])
        self.flat, self.shape = flat, (batch, things, things)
        self.mine, scene = flat // things, flat // (things * things)
        self.other = scene * things + flat % things
        self.scene = scene

    def take(self, pairs: Tensor) -> Tensor:
        """Select rows: [B, N, N, C] to [P, C]."""
        return pairs.flatten(0, 2).index_select(0, self.flat)

    def spread(self, rows: Tensor) -> Tensor:
        """Put rows [P, C] back: [B, N, N, C], 0 for other pairs."""
        place = self.kept.cumsum(0) * self.kept
        spread = rows.index_select(0, place) * self.kept[:, None].to(rows.dtype)
        return spread.reshape(*self.shape, rows.shape[-1])


def moment_features(moments: Moments, near: Near, roles: Tensor, reach: Reach) -> tuple[Tensor, Tensor]:
    """Features [P, T / 3, 26] and whether both objects are in view [P, T / 3].

    Gap, approach, impulses, contact, and the counterfactual outcome without what happened after the moment: for the pair, and
    for the
    participants of the event.
    """
    mine, other = moments.of(near.mine), moments.of(near.other)
    left = event_left(roles)
    mean = (mine.size + other.size) / 2
    both = mine.seen * other.seen
    gaps = box_gaps(mine.boxes, other.boxes) / mean
    apart = other.centre - mine.centre
    distance = length(apart)
    line = apart / distance.clamp(min=1e-3)

    def along(vectors: Tensor) -> Tensor:
        return squash((vectors / mean * line).sum(-1, keepdim=True))

    contacts = near.take(torch.stack([reach.confidence * reach.reported, reach.seconds, reach.reported], -1))[:, None]
    contact = torch.exp(-(((left - contacts[..., 1:2]) / CONTACT_SPREAD_S) ** 2)) * contacts[..., :1]
    participants = roles[..., 1:].sum(-1).flatten()
    event = participants.index_select(0, near.mine) * participants.index_select(0, near.other)
    meets = meeting(gaps[..., 2:], both, left, contacts) * (1 - event[:, None, None])
    ahead = left - meets
    nearest = what_if(mine, other, ahead)
    waits = (ahead > 0.05).to(gaps.dtype)
    bottom = (other.boxes[..., 1:2] + other.boxes[..., 3:] - mine.boxes[..., 1:2] - mine.boxes[..., 3:]) / mean
    features = [
        squash(gaps), squash(distance / mean), along(other.before - mine.before), along(other.after - mine.after),
        along(mine.changed), along(other.changed), squash(length(mine.changed / mean)), squash(length(other.changed / mean)),
        contact, squash(nearest) * waits, torch.exp(-nearest * 4) * waits, squash(ahead), waits, (left / 4).expand_as(distance),
        torch.sigmoid((0.15 - gaps[..., 2:]) / 0.05), squash(bottom),
    ]  # fmt: skip
    course = event_course(moments, roles).index_select(0, near.scene)
    features += [torch.roll(course, shift, 1) for shift in (BEFORE_CONTACT, AFTER_CONTACT)]
    # An object that rests before a push does not move without it, so the speeds before and after are features.
    features += [squash(length(one) / mean) for one in (mine.before, other.before, mine.after, other.after)]
    return torch.cat(features, -1) * both, both[..., 0]


def event_left(like: Tensor) -> Tensor:
    """Seconds from each moment to the event, [T / 3, 1]."""
    steps = torch.arange(OFFSET, STEPS, STRIDE, dtype=like.dtype, device=like.device)
    return ((EVENT_STEP - steps) / HZ)[:, None]


def meeting(gaps: Tensor, both: Tensor, left: Tensor, contacts: Tensor) -> Tensor:
    """Seconds before the event at which two objects met, [P, 1, 1]: by the reported contact, else by the nearest boxes."""
    away = gaps + (1 - both) * NOT_SEEN + (left < 0).to(gaps.dtype) * NOT_SEEN
    nearest = (torch.softmax(-away * SHARPNESS, 1) * left).sum(1, keepdim=True).clamp(min=0)
    return torch.where(contacts[..., 2:] > 0, contacts[..., 1:2], nearest)


def what_if(mine: Moments, other: Moments, ahead: Tensor) -> Tensor:
    """Smallest gap of two boxes `ahead` seconds after each moment if both continue their motion, [..., T / 3, 1].

    In mean sizes; the smallest of three times around.
    """
    nearest = None
    reach = (mine.shape + other.shape) / 2
    for slack in WHAT_IF_SLACK_S:
        wait = (ahead + slack).clamp(0, NEVER_S)
        one = mine.centre + carried(mine.velocity, mine.brake, wait)
        two = other.centre + carried(other.velocity, other.brake, wait)
        gap = length(((one - two).abs() - reach).clamp(min=0))
        nearest = gap if nearest is None else torch.minimum(nearest, gap)
    return nearest / ((mine.size + other.size) / 2).clamp(min=1e-3)


def event_course(moments: Moments, roles: Tensor) -> Tensor:
    """How near the event would have come at each moment if the participants had continued their motion, [B, T / 3, 2].

    With one participant: its distance from the place of the event. The second channel is whether the value is known.
    """
    left = event_left(roles)
    first, second = moments.participant(roles[..., 1]), moments.participant(roles[..., 2])
    paired = (roles[..., 2].sum(1) > 0).to(left.dtype)[:, None, None]
    gap = what_if(first, second, left.clamp(min=0))
    at = EVENT_STEP // STRIDE
    home = first.centre[:, at : at + 1]
    wait = left.clamp(min=0)
    miss = length(first.centre + carried(first.velocity, first.brake, wait) - home) / first.size.clamp(min=1e-3)
    known = first.seen * (second.seen * paired + first.seen[:, at : at + 1] * (1 - paired))
    return torch.cat([squash(gap * paired + miss * (1 - paired)) * known, known], -1)
