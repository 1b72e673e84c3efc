"""Texts of the tasks that Python and TypeScript both write: task lines and candidates.

    python -m training.data.text.tasks

writes test/fixtures/fused/prompts.json, against which the TypeScript prompt builder is tested.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from training.data.text.situations import Event, Listing, Situation, Thing, by_relevance, listing, prompt_of
from training.paths import ROOT

FIXTURE = ROOT / "test" / "fixtures" / "fused" / "prompts.json"
SYMMETRIC = ("meet", "collide")


def item_text(listed: Listing, kind: str, who: list[str], zone: int | None = None) -> str:
    """Candidate of `next`; participants of symmetric events are ordered by slot."""
    slots = sorted(listed.slots[name] for name in who) if kind in SYMMETRIC else [listed.slots[name] for name in who]
    return " ".join([kind, *(f"#{slot + 1}" for slot in slots), *([] if zone is None else [f"z{zone}"])]) + " "


def needs_texts(listed: Listing, focus: Event) -> list[str]:
    """Candidates of `why`: every listed object that is not a participant."""
    return [f"needs {listed.slot(thing.id)} " for thing in listed.things if thing.id not in focus.participants]


def task_line(listed: Listing, task: str, focus: Event | None = None) -> str:
    """First line of a task."""
    return f"{task} {listed.number(focus)}\n" if focus else f"{task}\n"


def draw_situation(rng: np.random.Generator, things: int, events: int) -> Situation:
    """Random situation with the given numbers of objects and events."""
    labels = ["person", "car", "dog", "sports ball", "cube", "bottle", "potted plant", "object"]
    names = [f"t{int(number)}" for number in rng.permutation(90)[:things]]
    at = round(float(rng.uniform(12, 90)), 2)
    objects = [
        Thing(
            name,
            labels[rng.integers(8)],
            None if rng.random() < 0.1 else round(float(rng.exponential(0.6)), 3),
            bool(rng.random() < 0.8),
        )
        for name in names
    ]
    happened = []
    for t in sorted(round(at - float(rng.uniform(0, 11)), 2) for _ in range(events if things else 0)):
        kind = ["enter", "start_moving", "stop", "turn", "meet", "collide", "zone_enter", "follow"][rng.integers(8)]
        pair = kind in ("meet", "collide", "follow") and things > 1
        kind = kind if pair or kind not in ("meet", "collide", "follow") else "turn"
        who = tuple(names[k] for k in rng.permutation(things)[: 2 if pair else 1])
        happened.append(Event(kind, who, t, int(rng.integers(1, 4)) if kind == "zone_enter" else None))
    return Situation(at, objects, happened)


def example(seed: int, things: int, events: int, task: str) -> dict[str, Any]:
    """One entry of the fixture."""
    rng = np.random.default_rng(seed)
    situation = draw_situation(rng, things, events)
    number = int(rng.integers(len(situation.events))) if task != "next" else None
    focus = None if number is None else situation.events[number]
    listed = listing(situation, focus)
    items: list[dict[str, Any]] = []
    texts: list[str] = []
    if task == "why" and focus:
        texts = needs_texts(listed, focus)
    elif task == "next":
        shown = [thing.id for thing in listed.things if thing.in_view]
        items = [{"type": "stop", "participants": [name]} for name in shown[:3]]
        items += [{"type": "collide", "participants": [b, a]} for a, b in zip(shown, shown[1:], strict=False)]
        items += [{"type": "zone_enter", "participants": [name], "zone": 2} for name in shown[:1]]
        texts = [item_text(listed, item["type"], item["participants"], item.get("zone")) for item in items]
    return {
        "situation": {
            "at": situation.at,
            "things": [
                {"id": thing.id, "label": thing.label, "speed": thing.speed, "inView": thing.in_view}
                for thing in situation.things
            ],
            "events": [
                {"type": event.type, "participants": list(event.participants), "t": event.t}
                | ({} if event.zone is None else {"zone": event.zone})
                for event in situation.events
            ],
        },
        "task": task,
        "focus": number,
        "items": items,
        "slots": [thing.id for thing in by_relevance(situation, focus)],
        "prompt": prompt_of(situation, listed) + task_line(listed, task, focus),
        "continuations": texts,
    }  # fmt: skip


def main() -> None:
    """Write the fixture."""
    sizes = [(0, 0), (1, 0), (1, 2), (2, 1), (2, 5), (3, 4), (4, 6), (5, 8), (6, 12), (8, 20), (14, 3), (20, 30), (13, 13)]
    cases = [(things, events, "next") for things, events in sizes]
    cases += [(2, 3, "why"), (5, 7, "why"), (14, 25, "why"), (3, 16, "why"), (3, 5, "chain"), (9, 18, "chain"), (16, 26, "chain")]
    examples = [example(seed, *case) for seed, case in enumerate(cases)]
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    FIXTURE.write_text(json.dumps(examples, indent=1) + "\n")


if __name__ == "__main__":
    main()
