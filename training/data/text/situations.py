"""The text that describes a moment to the language model (docs/fused-model.md, "Text")."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MAX_OBJECTS, MAX_EVENTS = 12, 12
FAST, SLOW = 0.35, 0.15
DIGIT_VALUES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.7, 0.87, 0.97)
"""Probabilities that the digits 0 to 9 represent."""


@dataclass(frozen=True)
class Thing:
    """An object in memory."""

    id: str
    label: str
    speed: float | None
    """Body heights per second; None before it is defined."""
    in_view: bool


@dataclass(frozen=True)
class Event:
    """An event in memory; t in s."""

    type: str
    participants: tuple[str, ...]
    t: float
    zone: int | None = None
    """Number of the zone or line, from 1."""


@dataclass(frozen=True)
class Situation:
    """Content of the memory: objects in the order in which they were first seen, recent events in order of time."""

    at: float
    things: list[Thing]
    events: list[Event]


@dataclass(frozen=True)
class Listing:
    """The part of a situation that the prompt contains: objects by slot, events by number."""

    things: list[Thing]
    events: list[Event]
    slots: dict[str, int] = field(default_factory=dict)

    def slot(self, thing: str) -> str:
        """Written slot of an object, such as `#1`."""
        return f"#{self.slots[thing] + 1}"

    def number(self, event: Event) -> str:
        """Written number of an event, such as `e1`."""
        return f"e{self.events.index(event) + 1}"


def state_of(thing: Thing) -> str:
    """State of an object as a word."""
    if not thing.in_view:
        return "gone"
    if thing.speed is None:
        return "slow"
    return "moving" if thing.speed > FAST else "standing" if thing.speed < SLOW else "slow"


def by_relevance(situation: Situation, focus: Event | None) -> list[Thing]:
    """Participants of the focus, then of events from the newest back, then other objects: in view first."""
    events = ([focus] if focus else []) + situation.events[::-1]
    known = {thing.id: thing for thing in situation.things}
    order = [known[name] for event in events for name in event.participants if name in known]
    order += [thing for thing in situation.things if thing.in_view] + situation.things
    return list(dict.fromkeys(order))[:MAX_OBJECTS]


def listing(situation: Situation, focus: Event | None = None, order: list[int] | None = None) -> Listing:
    """Select objects and events for the prompt.

    order: a permutation of the slots (for training): position k of the relevance order gets slot order[k].
    """
    things = by_relevance(situation, focus)
    slots = {thing.id: (order[place] if order else place) for place, thing in enumerate(things)}
    listed = [event for event in situation.events if all(name in slots for name in event.participants)]
    newest = listed[-MAX_EVENTS:]
    if focus and focus not in newest:
        newest = [focus, *newest[1:]] if len(newest) == MAX_EVENTS else [focus, *newest]
    return Listing(sorted(things, key=lambda thing: slots[thing.id]), newest, slots)


def tenths(seconds: float) -> str:
    """Seconds with one decimal, rounded half up, at least 0."""
    return f"{max(0, math.floor(seconds * 10 + 0.5)) / 10:.1f}"


def event_line(listed: Listing, event: Event, at: float) -> str:
    """Line of an event with its age at time `at`."""
    who = [listed.slot(name) for name in event.participants]
    zone = [] if event.zone is None else [f"z{event.zone}"]
    return " ".join([listed.number(event), event.type, *who, *zone, tenths(at - event.t)]) + "\n"


def prompt_of(situation: Situation, listed: Listing) -> str:
    """Prompt of a situation."""
    objects = [f"{listed.slot(thing.id)} {thing.label} {state_of(thing)}\n" for thing in listed.things]
    events = [event_line(listed, event, situation.at) for event in listed.events]
    return "".join(["objects\n", *objects, "events\n", *events])


def digit_of(probability: float) -> int:
    """Digit with the nearest value."""
    return min(range(10), key=lambda digit: abs(DIGIT_VALUES[digit] - probability))
