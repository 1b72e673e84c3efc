"""Prompts, questions and answers for the fused model from scene shards: what memory would have told, and what was true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.data.text.chains import causal_chain, counterpart
from training.data.text.observed import HZ, Observed, confirm_s, memory_at
from training.data.text.situations import Event, Listing, Situation, listing, prompt_of
from training.data.text.tasks import item_text, needs_texts, task_line
from training.data.text.tree import Speech, Tree
from training.data.tracks.labels import LABELS, PAIR, SINGLE

RERUN_SHARE = 0.6
"""Weight of the re-runs in the soft labels of the forecast; the rest is what came about in the scene itself."""
MOST_CANDIDATES = 10
BEGINNINGS = ("enter", "appear")
"""Nothing in view explains these."""
OTHER_NAMES = {
    0: ["person"],
    1: ["car", "truck", "bus", "bicycle", "motorcycle"],
    2: ["dog", "cat", "horse", "bird", "sheep"],
    3: ["sports ball", "bottle", "cup", "suitcase", "chair", "box", "object", "vase", "book", "toy", "frisbee", "remote"],
}
"""Names that detectors give things of each kind, told instead of the world's own in some scenes."""


@dataclass
class Moment:
    """A listing at a frame of a scene, and who looks like whom."""

    observed: Observed
    frame: int
    situation: Situation
    told: Listing
    identity: np.ndarray
    """[8]: objects of one number are of one kind and look."""
    focus: Event | None = None


@dataclass
class Sample:
    """One prompt with its questions, and the objects that the fusion core sees, by slot."""

    tree: Tree
    moment: Moment

    @property
    def things(self) -> list[int]:
        return [int(thing.id) for thing in self.moment.told.things]


def names_of(observed: Observed, identity: np.ndarray, rng: np.random.Generator) -> list[str]:
    """A name for each identity: the world's, or in a third of the scenes one that a detector might give."""
    others, names = rng.random() < 1 / 3, {}
    for number, kind in enumerate(observed.kind):
        if kind >= 0 and identity[number] not in names:
            choice = OTHER_NAMES[int(kind)]
            names[identity[number]] = choice[rng.integers(len(choice))] if others else LABELS[observed.label[number]]
    return [names.get(key, "object") for key in identity]


def identities(observed: Observed, rng: np.random.Generator) -> np.ndarray:
    """By label and colour; in half of the scenes some object is made like another one of its kind."""
    keys = observed.label.astype(int) * 8 + observed.color
    there = np.flatnonzero(observed.kind >= 0)
    if len(there) > 1 and rng.random() < 0.5:
        a, b = rng.permutation(there)[:2]
        if observed.kind[a] == observed.kind[b]:
            keys[a] = keys[b]
    return keys


def moment_at(observed: Observed, frame: int, rng: np.random.Generator, focus: Event | None, shuffled: bool) -> Moment | None:
    identity = identities(observed, rng)
    situation = memory_at(observed, frame, names_of(observed, identity, rng))
    if not situation.things or (focus and focus not in situation.events):
        return None
    order = rng.permutation(len(situation.things)).tolist() if shuffled else None
    return Moment(observed, frame, situation, listing(situation, focus, order), identity, focus)


def tenth(value: float) -> int:
    return int(np.clip(np.floor(value * 10), 0, 9))


def cell(observed: Observed, number: int, frame: int) -> str | None:
    if frame < 0 or not observed.seen[frame, number]:
        return None
    x, y, w, h = observed.boxes[frame, number]
    return f"{tenth((x + w / 2) / observed.aspect)}{tenth(y + h / 2)}"


def tell_answer(observed: Observed, number: int, frame: int) -> str | None:
    """`x4 y7 w1 h2 left fast`, where the object is in view."""
    place, velocity = cell(observed, number, frame), observed.velocity(number, frame)
    if place is None or velocity is None:
        return None
    (right, down), speed = velocity, float(np.hypot(*velocity))
    pace = "still" if speed < 0.15 else "slow" if speed < 1 else "fast"
    sideways = "right" if right > 0 else "left"
    way = "none" if speed < 0.15 else sideways if abs(right) > abs(down) else "down" if down > 0 else "up"
    w, h = observed.boxes[frame, number, 2] / observed.aspect, observed.boxes[frame, number, 3]
    return f"x{place[0]} y{place[1]} w{tenth(w)} h{tenth(h)} {way} {pace}\n"


def add_places(tree: Tree, root: int, moment: Moment, speech: Speech, rng: np.random.Generator, most: int) -> None:
    for at in rng.permutation(len(moment.told.things))[:most]:
        thing = moment.told.things[at]
        slot, number = moment.told.slot(thing.id), int(thing.id)
        answer = tell_answer(moment.observed, number, moment.frame)
        if answer:
            tree.answer(speech.encode(answer), tree.add(speech.encode(f"tell {slot}\n"), root), "tell")
        cells = [cell(moment.observed, number, moment.frame - lag) for lag in (20, 10, 0)]
        if all(cells):
            node = tree.add(speech.encode(f"path {slot}\n"), root)
            tree.answer(speech.encode(" ".join(map(str, cells)) + "\n"), node, "path")


def add_same(tree: Tree, root: int, moment: Moment, speech: Speech, rng: np.random.Generator) -> None:
    who = [moment.identity[int(thing.id)] for thing in moment.told.things]
    pairs = [(a, b) for a in range(len(who)) for b in range(len(who)) if a != b]
    alike = [(a, b) for a, b in pairs if who[a] == who[b]]
    if pairs:
        pool = alike if alike and rng.random() < 0.6 else pairs
        a, b = pool[rng.integers(len(pool))]
        node = tree.add(speech.encode(f"same #{a + 1} #{b + 1}\n"), root)
        tree.answer(speech.encode("yes\n" if who[a] == who[b] else "no\n"), node, "same")


def questions(moment: Moment, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Questions that the prompt answers, with their answers."""
    told, things = moment.told, moment.told.things
    hits = {frozenset(event.participants) for event in told.events if event.type == "collide"}
    asked = []
    if len(things) > 1:
        pairs = [tuple(told.slots[name] for name in pair) for pair in hits]
        a, b = pairs[rng.integers(len(pairs))] if pairs and rng.random() < 0.5 else rng.permutation(len(things))[:2]
        who = frozenset((things[a].id, things[b].id))
        asked.append((f"did #{a + 1} hit #{b + 1}", "yes" if who in hits else "no"))
    for kind, verb in (("start_moving", "moved"), ("stop", "stopped"), ("turn", "turned")):
        first = next((event for event in told.events if event.type == kind), None)
        asked.append((f"who {verb} first", told.slot(first.participants[0]) if first else "none"))
        last = next((event for event in told.events[::-1] if event.type == kind), None)
        asked.append((f"who {verb} last", told.slot(last.participants[0]) if last else "none"))
    thing = things[rng.integers(len(things))]
    count = sum(other.label == thing.label for other in things)
    asked.append((f"how many {thing.label}s", str(min(count, 9))))
    last = next((event for event in told.events[::-1] if thing.id in event.participants), None)
    asked.append((f"what did {told.slot(thing.id)} do last", last.type if last else "none"))
    return asked


def add_asked(tree: Tree, root: int, moment: Moment, speech: Speech, rng: np.random.Generator, most: int) -> None:
    asked = questions(moment, rng)
    for at in rng.permutation(len(asked))[:most]:
        node = tree.add(speech.encode(f"ask {asked[at][0]}\n"), root)
        tree.answer(speech.encode(asked[at][1] + "\n"), node, "ask")


def soft(rerun: np.ndarray, actual: int) -> float | None:
    """Probability that an item comes true; None where it is not due or not known."""
    if not np.isfinite(rerun).all():
        return None
    chance = float(rerun.astype(np.float32).sum())
    return float(np.clip(chance if actual < 0 else RERUN_SHARE * chance + (1 - RERUN_SHARE) * (actual < 6), 0, 1))


def forecast_items(moment: Moment, index: int) -> list[tuple[str, float]]:
    """Candidates of `next` with their soft labels, at moment `index` of the scene."""
    arrays, told = moment.observed.arrays, moment.told
    found = []
    for thing in told.things:
        a = int(thing.id)
        for k, kind in enumerate(SINGLE):
            chance = soft(arrays["single"][index, a, k], int(arrays["actual_single"][index, a, k]))
            if chance is not None:
                found.append((item_text(told, kind, [thing.id]), chance))
        for other in told.things[told.slots[thing.id] + 1 :]:
            for k, kind in enumerate(PAIR):
                b = int(other.id)
                chance = soft(arrays["pair"][index, a, b, k], int(arrays["actual_pair"][index, a, b, k]))
                if chance is not None:
                    found.append((item_text(told, kind, [thing.id, other.id]), chance))
    return found


def add_forecast(tree: Tree, root: int, moment: Moment, index: int, speech: Speech, rng: np.random.Generator, most: int) -> None:
    items = forecast_items(moment, index)
    if not items:
        return
    node = tree.add(speech.encode(task_line(moment.told, "next")), root)
    for at in rng.permutation(len(items))[:most]:
        text, chance = items[at]
        tree.candidate(speech.encode(text), node, chance, "next")


def add_causes(
    tree: Tree, root: int, moment: Moment, speech: Speech, rng: np.random.Generator, necessary: np.ndarray | None
) -> None:
    told, focus = moment.told, moment.focus
    others = [thing for thing in told.things if thing.id not in focus.participants]
    if necessary is not None:
        node = tree.add(speech.encode(task_line(told, "why", focus)), root)
        for thing, text in zip(others, needs_texts(told, focus), strict=True):
            if necessary[int(thing.id)] >= 0:
                tree.candidate(speech.encode(text), node, float(necessary[int(thing.id)]), "why")
    chain = causal_chain(moment.observed, told, focus, necessary)
    node = tree.add(speech.encode(task_line(told, "chain", focus)), root)
    text = "".join(f"{told.number(event)} {relation}\n" for event, relation in chain)
    tree.answer(speech.lines(text), node, "chain")


def moment_sample(
    observed: Observed, index: int, speech: Speech, rng: np.random.Generator, sighted: bool = True
) -> Sample | None:
    """Forecast, places, looks and questions at moment `index` of a scene; not `sighted`: what the text alone answers."""
    moment = moment_at(observed, round(float(observed.arrays["moment"][index]) * HZ), rng, None, shuffled=True)
    if moment is None:
        return None
    tree = Tree()
    root = tree.add(speech.lines(prompt_of(moment.situation, moment.told)))
    add_forecast(tree, root, moment, index, speech, rng, MOST_CANDIDATES)
    if sighted:
        add_places(tree, root, moment, speech, rng, 2)
        add_same(tree, root, moment, speech, rng)
    add_asked(tree, root, moment, speech, rng, 2)
    return Sample(tree, moment)


def event_sample(
    observed: Observed, speech: Speech, rng: np.random.Generator, sighted: bool = True, causes: bool = True
) -> Sample | None:
    """Causes and chain of an event that was seen and happened, soon after it; not `causes`: without what re-runs showed."""
    known = [(event, counterpart(event, observed.true_events)) for event in observed.seen_events]
    known = [(event, true) for event, true in known if true is not None and event.type not in BEGINNINGS]
    caused = [(event, true) for event, true in known if (true[1] == 1).any()]
    asked = [(event, true) for event, true in known if (true[1] >= 0).any()]
    pool = caused if caused and rng.random() < 0.6 else asked if asked and rng.random() < 0.8 else known
    if not pool:
        return None
    event, (_, necessary) = pool[rng.integers(len(pool))]
    late = confirm_s()[event.type] + float(rng.uniform(0, 1.0))
    frame = min(int(np.ceil((event.t + late) * HZ)), len(observed.seen) - 1)
    moment = moment_at(observed, frame, rng, event, shuffled=True)
    if moment is None:
        return None
    tree = Tree()
    root = tree.add(speech.lines(prompt_of(moment.situation, moment.told)))
    add_causes(tree, root, moment, speech, rng, necessary if causes and (necessary >= 0).any() else None)
    if sighted:
        add_places(tree, root, moment, speech, rng, 1)
    add_asked(tree, root, moment, speech, rng, 1)
    return Sample(tree, moment)
