"""What the cause head looks at: what each object did, what passed between two, and what would have come otherwise."""

from __future__ import annotations

import torch
from torch import Tensor

from training.models.forecaster import KINDS, clamped, difference
from training.models.kinematics import BORDER, HZ, Motion, bend, border_gaps, box_gaps, braking, carried, length, slope, squash

STEPS = 100
AFTER_S = 0.4
EVENT_STEP = STEPS - 1 - round(AFTER_S * HZ)
STRIDE = 3
"""Pairs are looked at every 0.3 s; the event's step is among these."""
OFFSET = EVENT_STEP % STRIDE
NODE_CHANNELS, STATIC, MOMENT_CHANNELS, REACH_CHANNELS = 19, 18, 26, 7
LONGEST_CHAIN = 6
NEVER_S = 20.0
CONTACT_FLOOR = 0.05
ORDER_SLACK_S = 0.15
CONTACT_SPREAD_S = 0.25
BEND_WINDOW = 6
NOT_SEEN = 50.0
SHARPNESS = 12.0
NEAR = 1.0
"""Objects whose boxes never come nearer than this many mean sizes had nothing to do with each other."""
WHAT_IF_SLACK_S = (-0.35, 0.0, 0.35)
BEFORE_CONTACT, AFTER_CONTACT = 1, -2
"""Steps of 0.3 s by which the event's course is looked at before and after each moment."""


class Sights:
    """Motion just before and just after each step, and where each object would be later, had it gone on as it went."""

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
        """Every third step."""
        size = self.size[..., None, None].expand_as(self.brake)
        shape = self.shape[:, :, None].expand_as(self.centre)
        parts = [motion.boxes, self.centre, self.velocity, self.brake, self.before, self.after, self.changed, shape, size]
        return Moments(torch.cat([*parts, self.seen[..., None]], -1)[:, :, OFFSET::STRIDE])


class Moments:
    """What is known of objects at moments [..., T / 3, 19], by name."""

    def __init__(self, values: Tensor):
        self.values = values
        parts = values.split([4, 2, 2, 1, 2, 2, 2, 2, 1, 1], -1)
        self.boxes, self.centre, self.velocity, self.brake, self.before, self.after, self.changed = parts[:7]
        self.shape, self.size, self.seen = parts[7:]

    def of(self, index: Tensor) -> Moments:
        """Of the objects index [P] in the order of scenes and objects: [P, T / 3, 19]."""
        return Moments(self.values.flatten(0, 1).index_select(0, index))

    def part(self, share: Tensor) -> Moments:
        """Of the one object of each scene whose share [B, N] is 1: [B, T / 3, 19]; zeros where there is none."""
        return Moments((self.values * share[..., None, None]).sum(1))


class Reach:
    """Who is joined to the participants by told contacts, backwards in time: the rule of transitive touch, with its times."""

    def __init__(self, contact: Tensor, roles: Tensor):
        contact = torch.where(torch.isnan(contact), torch.zeros_like(contact), contact)
        self.confidence = contact[..., 0].clamp(0, 1)
        self.seconds = contact[..., 1].clamp(0, NEVER_S)
        told = self.confidence > CONTACT_FLOOR
        never = torch.full_like(self.seconds, NEVER_S)
        when = torch.where(told, self.seconds, never)
        part = 1 - roles[..., 0]
        self.since = (1 - part) * NEVER_S
        self.trust, self.hops = part, part * LONGEST_CHAIN
        for step in range(1, LONGEST_CHAIN):
            # A contact matters to the event if it was before the time from which on the other's state matters.
            joins = told & (when > self.since[:, None] - ORDER_SLACK_S) & (self.since[:, None] < NEVER_S)
            self.since = torch.minimum(self.since, torch.where(joins, when, never).amin(2))
            carried = torch.where(joins, self.confidence * self.trust[:, None], torch.zeros_like(when))
            self.trust = torch.maximum(self.trust, carried.amax(2))
            self.hops = torch.maximum(self.hops, (self.since < NEVER_S).to(when.dtype) * (LONGEST_CHAIN - step))
        self.told = told.to(when.dtype)

    def nodes(self) -> Tensor:
        """[B, N, 4]"""
        reached = (self.since < NEVER_S).to(self.since.dtype)
        return torch.stack([reached, self.since * reached / 4, self.trust, self.hops / LONGEST_CHAIN], -1)

    def pairs(self) -> Tensor:
        """[B, N, N, 7]"""
        reached = (self.since < NEVER_S).to(self.since.dtype)
        later = (self.seconds - self.since[:, None]) * self.told * reached[:, None]
        sooner = (self.seconds - self.since[:, :, None]) * self.told * reached[:, :, None]
        joins = [(gap > -ORDER_SLACK_S).to(gap.dtype) * self.told for gap in (later, sooner)]
        told = [self.confidence, self.told, self.seconds / 4 * self.told, squash(later), squash(sooner)]
        return torch.stack([*told, joins[0] * reached[:, None], joins[1] * reached[:, :, None]], -1)


def node_features(motion: Motion, sights: Sights, roles: Tensor, aspect: Tensor) -> Tensor:
    """[B, N, T / 3, 19], in sizes of the object."""
    size = sights.size[..., None, None]
    seen = motion.seen[..., None]
    home = sights.at_event[:, :, None]
    before, after = sights.before / size, sights.after / size
    speed = length(before)
    toward, reached = [], []
    for part in (1, 2):
        share = roles[..., part, None, None]
        path, shown = (motion.boxes * share).sum(1, keepdim=True), (seen * share).sum(1, keepdim=True)
        gap = box_gaps(motion.boxes, path.expand_as(motion.boxes))[..., 2:] / size
        toward.append(squash(gap) * shown)
        target = (sights.at_event * roles[..., part : part + 1]).sum(1)[:, None, None]
        reached.append(squash(length(sights.unhindered - target) / size))
    sides = border_gaps(motion.boxes, aspect[:, None, None])
    touch = (sides.amin(-1, keepdim=True) < BORDER).to(speed.dtype)
    shape = torch.stack([motion.boxes[..., 3] / size[..., 0] - 1, motion.boxes[..., 2] / size[..., 0] - 1], -1)
    missed = squash(length(sights.unhindered - home) / size)
    changed = squash(length(sights.changed / size))
    told = [squash((motion.centre - home) / size), squash(before), squash(after), squash(speed), changed, missed]
    told += [*toward, *reached, squash(shape), touch, sights.known_before[..., None]]
    moving = torch.sigmoid((speed - 0.25) / 0.08)
    return torch.cat([*(values * seen for values in told), seen, moving * seen], -1)[:, :, OFFSET::STRIDE]


def static_features(motion: Motion, kind: Tensor, age: Tensor, roles: Tensor, reach: Reach) -> Tensor:
    """[B, N, 18]"""
    kinds = (kind[..., None] == torch.arange(KINDS, device=kind.device)).to(roles.dtype)
    direct = [(reach.told * roles[:, None, :, part]).sum(2) for part in (1, 2)]
    scalars = [torch.log(motion.height) + 2, torch.log1p(clamped(age)) - 1, motion.seen.mean(2)]
    scalars += [motion.seen[..., EVENT_STEP], motion.seen[..., EVENT_STEP - 20], *direct]
    return torch.cat([kinds, roles, torch.stack([squash(s) for s in scalars], -1), reach.nodes()], -1)


class Near:
    """The pairs that can have had to do with each other, as flat indices: features are computed of these only."""

    def __init__(self, moments: Moments, roles: Tensor, reach: Reach):
        batch, things = roles.shape[:2]
        both = moments.seen[:, :, None, :, 0] * moments.seen[:, None, :, :, 0]
        size = (moments.size[:, :, None, 0] + moments.size[:, None, :, 0])[..., 0] / 2
        gaps = box_gaps(moments.boxes[:, :, None], moments.boxes[:, None])[..., 2] + (1 - both) * NOT_SEEN
        part = roles[..., 1:].sum(-1)
        together = (part[:, :, None] * part[:, None] > 0) | (reach.told > 0) | (gaps.amin(-1) < NEAR * size)
        thing = torch.arange(things, device=roles.device)
        kept = together & (both.amax(-1) > 0) & (thing[:, None] != thing)
        self.kept = kept.flatten().to(torch.int64)
        # Row 0 stands for every pair that is left out, so there is always one.
        flat = torch.cat([torch.zeros_like(self.kept[:1]), self.kept.nonzero()[:, 0]])
        self.flat, self.shape = flat, (batch, things, things)
        self.mine, scene = flat // things, flat // (things * things)
        self.other = scene * things + flat % things
        self.scene = scene

    def take(self, pairs: Tensor) -> Tensor:
        """[B, N, N, C] to [P, C]."""
        return pairs.flatten(0, 2).index_select(0, self.flat)

    def spread(self, rows: Tensor) -> Tensor:
        """[P, C] to [B, N, N, C], 0 for pairs that are left out."""
        place = self.kept.cumsum(0) * self.kept
        told = rows.index_select(0, place) * self.kept[:, None].to(rows.dtype)
        return told.reshape(*self.shape, rows.shape[-1])


def moment_features(moments: Moments, near: Near, roles: Tensor, reach: Reach) -> tuple[Tensor, Tensor]:
    """[P, T / 3, 26] and whether both are in view [P, T / 3]: gap, approach, impulses, contact, and what would have come
    without what happened after that moment: to the two, and to the participants of the event."""
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

    told = near.take(torch.stack([reach.confidence * reach.told, reach.seconds, reach.told], -1))[:, None]
    contact = torch.exp(-(((left - told[..., 1:2]) / CONTACT_SPREAD_S) ** 2)) * told[..., :1]
    part = roles[..., 1:].sum(-1).flatten()
    event = part.index_select(0, near.mine) * part.index_select(0, near.other)
    meets = meeting(gaps[..., 2:], both, left, told) * (1 - event[:, None, None])
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
    # Who stood still before a push would have gone nowhere without it.
    features += [squash(length(one) / mean) for one in (mine.before, other.before, mine.after, other.after)]
    return torch.cat(features, -1) * both, both[..., 0]


def event_left(like: Tensor) -> Tensor:
    """[T / 3, 1]: seconds from each moment to the event."""
    steps = torch.arange(OFFSET, STEPS, STRIDE, dtype=like.dtype, device=like.device)
    return ((EVENT_STEP - steps) / HZ)[:, None]


def meeting(gaps: Tensor, both: Tensor, left: Tensor, told: Tensor) -> Tensor:
    """[P, 1, 1]: seconds before the event at which two objects met: as told, or else where their boxes came nearest."""
    away = gaps + (1 - both) * NOT_SEEN + (left < 0).to(gaps.dtype) * NOT_SEEN
    nearest = (torch.softmax(-away * SHARPNESS, 1) * left).sum(1, keepdim=True).clamp(min=0)
    return torch.where(told[..., 2:] > 0, told[..., 1:2], nearest)


def what_if(mine: Moments, other: Moments, ahead: Tensor) -> Tensor:
    """[..., T / 3, 1]: how near the boxes of two objects come `ahead` seconds after each moment if both go on as they went then,
    in mean sizes; at the best of three times around."""
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
    """[B, T / 3, 2]: how near the event would have come at each moment, had the participants gone on as they went then (one
    participant: how far from where it was at the event it would have been), and whether that is known."""
    left = event_left(roles)
    first, second = moments.part(roles[..., 1]), moments.part(roles[..., 2])
    paired = (roles[..., 2].sum(1) > 0).to(left.dtype)[:, None, None]
    gap = what_if(first, second, left.clamp(min=0))
    at = EVENT_STEP // STRIDE
    home = first.centre[:, at : at + 1]
    wait = left.clamp(min=0)
    miss = length(first.centre + carried(first.velocity, first.brake, wait) - home) / first.size.clamp(min=1e-3)
    known = first.seen * (second.seen * paired + first.seen[:, at : at + 1] * (1 - paired))
    return torch.cat([squash(gap * paired + miss * (1 - paired)) * known, known], -1)
