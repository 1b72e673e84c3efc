"""What is told to the language model about a moment, and how it is written (docs/fused-model.md, "Text")."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MOST_OBJECTS, MOST_EVENTS = 12, 12
FAST, SLOW = 0.35, 0.15
DIGIT_VALUES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.7, 0.87, 0.97)
"""What the digits 0 to 9 stand for as probabilities."""


@dataclass(frozen=True)
class Thing:
    id: str
    label: str
    speed: float | None
    """bh/s; none before it is defined."""
    in_view: bool


@dataclass(frozen=True)
class Event:
    type: str
    participants: tuple[str, ...]
    t: float
    zone: int | None = None
    """Number of the zone or line, from 1."""


@dataclass(frozen=True)
class Situation:
    """Things in the order in which they were first seen; events of the recent past in order of time."""

    at: float
    things: list[Thing]
    events: list[Event]


@dataclass(frozen=True)
class Listing:
    """What of a situation is written: things by slot, events by number."""

    things: list[Thing]
    events: list[Event]
    slots: dict[str, int] = field(default_factory=dict)

    def slot(self, thing: str) -> str:
        return f"#{self.slots[thing] + 1}"

    def number(self, event: Event) -> str:
        return f"e{self.events.index(event) + 1}"


def state_of(thing: Thing) -> str:
    if not thing.in_view:
        return "gone"
    if thing.speed is None:
        return "slow"
    return "moving" if thing.speed > FAST else "standing" if thing.speed < SLOW else "slow"


def by_relevance(situation: Situation, focus: Event | None) -> list[Thing]:
    """Participants of the event in focus, then of the events from the newest back, then the rest: in view, then gone."""
    events = ([focus] if focus else []) + situation.events[::-1]
    known = {thing.id: thing for thing in situation.things}
    order = [known[name] for event in events for name in event.participants if name in known]
    order += [thing for thing in situation.things if thing.in_view] + situation.things
    return list(dict.fromkeys(order))[:MOST_OBJECTS]


def listing(situation: Situation, focus: Event | None = None, order: list[int] | None = None) -> Listing:
    """`order` gives the slots another order than by relevance: position k of the list is slot order[k] (training)."""
    things = by_relevance(situation, focus)
    slots = {thing.id: (order[place] if order else place) for place, thing in enumerate(things)}
    told = [event for event in situation.events if all(name in slots for name in event.participants)]
    newest = told[-MOST_EVENTS:]
    if focus and focus not in newest:
        newest = [focus, *newest[1:]] if len(newest) == MOST_EVENTS else [focus, *newest]
    return Listing(sorted(things, key=lambda thing: slots[thing.id]), newest, slots)


def tenths(seconds: float) -> str:
    """One decimal, halves up, never below 0."""
    return f"{max(0, math.floor(seconds * 10 + 0.5)) / 10:.1f}"


def event_line(told: Listing, event: Event, at: float) -> str:
    who = [told.slot(name) for name in event.participants]
    zone = [] if event.zone is None else [f"z{event.zone}"]
    return " ".join([told.number(event), event.type, *who, *zone, tenths(at - event.t)]) + "\n"


def prompt_of(situation: Situation, told: Listing) -> str:
    objects = [f"{told.slot(thing.id)} {thing.label} {state_of(thing)}\n" for thing in told.things]
    events = [event_line(told, event, situation.at) for event in told.events]
    return "".join(["objects\n", *objects, "events\n", *events])


def digit_of(probability: float) -> int:
    """The digit whose value is nearest."""
    return min(range(10), key=lambda digit: abs(DIGIT_VALUES[digit] - probability))
