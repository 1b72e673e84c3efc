"""Prompts, questions and answers of the language model, from scene shards: observed prompts and true answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.data.text.chains import causal_chain, counterpart
from training.data.text.observed import HZ, Observed, confirm_s, memory_at
from training.data.text.situations import Event, Listing, Situation, listing, prompt_of
from training.data.text.tasks import item_text, needs_texts, task_line
from training.data.text.tree import TextEncoder, Tree
from training.data.tracks.labels import LABELS, PAIR, SINGLE

RERUN_SHARE = 0.6
"""Weight of the re-runs in the soft labels of the forecast; the rest is the actual outcome in the scene."""
MAX_CANDIDATES = 10
BEGINNINGS = ("enter", "appear")
"""Events without a cause in view."""
OTHER_NAMES = {
    0: ["person"],
    1: ["car", "truck", "bus", "bicycle", "motorcycle"],
    2: ["dog", "cat", "horse", "bird", "sheep"],
    3: ["sports ball", "bottle", "cup", "suitcase", "chair", "box", "object", "vase", "book", "toy", "frisbee", "remote"],
}
"""Detector labels for each kind of object, used in some scenes in place of the world's labels."""


@dataclass
class Moment:
    """The listing at a frame of a scene, and the identities of its objects."""

    observed: Observed
    frame: int
    situation: Situation
    listed: Listing
    identity: np.ndarray
    """[8]: objects with the same number have the same kind and appearance."""
    focus: Event | None = None


@dataclass
class Sample:
    """One prompt with its questions; `things` are the objects that the fusion core reads."""

    tree: Tree
    moment: Moment

    @property
    def things(self) -> list[int]:
        """Numbers of the objects by slot."""
        return [int(thing.id) for thing in self.moment.listed.things]


def names_of(observed: Observed, identity: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Name of each identity: the world's label, or in a third of the scenes one that a detector may give."""
    others, names = rng.random() < 1 / 3, {}
    for number, kind in enumerate(observed.kind):
        if kind >= 0 and identity[number] not in names:
            choice = OTHER_NAMES[int(kind)]
            names[identity[number]] = choice[rng.integers(len(choice))] if others else LABELS[observed.label[number]]
    return [names.get(key, "object") for key in identity]


def identities(observed: Observed, rng: np.random.Generator) -> np.ndarray:
    """Identity of each object [8] by label and colour; in half of the scenes one object becomes a copy of another of its kind."""
    keys = observed.label.astype(int) * 8 + observed.color
    there = np.flatnonzero(observed.kind >= 0)
    if len(there) > 1 and rng.random() < 0.5:
        a, b = rng.permutation(there)[:2]
        if observed.kind[a] == observed.kind[b]:
            keys[a] = keys[b]
    return keys


def moment_at(observed: Observed, frame: int, rng: np.random.Generator, focus: Event | None, shuffled: bool) -> Moment | None:
    """Return the moment at a frame, or None when there is no object or the focus is not in memory."""
    identity = identities(observed, rng)
    situation = memory_at(observed, frame, names_of(observed, identity, rng))
    if not situation.things or (focus and focus not in situation.events):
        return None
    order = rng.permutation(len(situation.things)).tolist() if shuffled else None
    return Moment(observed, frame, situation, listing(situation, focus, order), identity, focus)


def tenth(value: float) -> int:
    """First decimal digit of a fraction."""
    return int(np.clip(np.floor(value * 10), 0, 9))


def cell(observed: Observed, number: int, frame: int) -> str | None:
    """Two digits for the centre of an object in the frame, or None when it is not seen."""
    if frame < 0 or not observed.seen[frame, number]:
        return None
    x, y, w, h = observed.boxes[frame, number]
    return f"{tenth((x + w / 2) / observed.aspect)}{tenth(y + h / 2)}"


def describe(observed: Observed, number: int, frame: int) -> str | None:
    """Position, size, direction and speed as text, such as `x4 y7 w1 h2 left fast`; None when the object is not in view."""
    place, velocity = cell(observed, number, frame), observed.velocity(number, frame)
    if place is None or velocity is None:
        return None
    (right, down), speed = velocity, float(np.hypot(*velocity))
    pace = "still" if speed < 0.15 else "slow" if speed < 1 else "fast"
    sideways = "right" if right > 0 else "left"
    way = "none" if speed < 0.15 else sideways if abs(right) > abs(down) else "down" if down > 0 else "up"
    w, h = observed.boxes[frame, number, 2] / observed.aspect, observed.boxes[frame, number, 3]
    return f"x{place[0]} y{place[1]} w{tenth(w)} h{tenth(h)} {way} {pace}\n"


def add_places(tree: Tree, root: int, moment: Moment, encoder: TextEncoder, rng: np.random.Generator, most: int) -> None:
    """Add the tasks `tell` and `path` for up to `most` objects."""
    for at in rng.permutation(len(moment.listed.things))[:most]:
        thing = moment.listed.things[at]
        slot, number = moment.listed.slot(thing.id), int(thing.id)
        answer = describe(moment.observed, number, moment.frame)
        if answer:
            tree.answer(encoder.encode(answer), tree.add(encoder.encode(f"tell {slot}\n"), root), "tell")
        cells = [cell(moment.observed, number, moment.frame - lag) for lag in (20, 10, 0)]
        if all(cells):
            node = tree.add(encoder.encode(f"path {slot}\n"), root)
            tree.answer(encoder.encode(" ".join(map(str, cells)) + "\n"), node, "path")


def add_same(tree: Tree, root: int, moment: Moment, encoder: TextEncoder, rng: np.random.Generator) -> None:
    """Add the task `same`: whether two objects look alike."""
    who = [moment.identity[int(thing.id)] for thing in moment.listed.things]
    pairs = [(a, b) for a in range(len(who)) for b in range(len(who)) if a != b]
    alike = [(a, b) for a, b in pairs if who[a] == who[b]]
    if pairs:
        choices = alike if alike and rng.random() < 0.6 else pairs
        a, b = choices[rng.integers(len(choices))]
        node = tree.add(encoder.encode(f"same #{a + 1} #{b + 1}\n"), root)
        tree.answer(encoder.encode("yes\n" if who[a] == who[b] else "no\n"), node, "same")


def questions(moment: Moment, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Questions with their answers, all of which the prompt contains."""
    listed, things = moment.listed, moment.listed.things
    hits = {frozenset(event.participants): event.participants for event in listed.events if event.type == "collide"}
    asked = []
    if len(things) > 1:
        pairs = [tuple(listed.slots[name] for name in pair) for pair in hits.values()]
        a, b = pairs[rng.integers(len(pairs))] if pairs and rng.random() < 0.5 else rng.permutation(len(things))[:2]
        who = frozenset((things[a].id, things[b].id))
        asked.append((f"did #{a + 1} hit #{b + 1}", "yes" if who in hits else "no"))
    for kind, verb in (("start_moving", "moved"), ("stop", "stopped"), ("turn", "turned")):
        first = next((event for event in listed.events if event.type == kind), None)
        asked.append((f"who {verb} first", listed.slot(first.participants[0]) if first else "none"))
        last = next((event for event in listed.events[::-1] if event.type == kind), None)
        asked.append((f"who {verb} last", listed.slot(last.participants[0]) if last else "none"))
    thing = things[rng.integers(len(things))]
    count = sum(other.label == thing.label for other in things)
    asked.append((f"how many {thing.label}s", str(min(count, 9))))
    last = next((event for event in listed.events[::-1] if thing.id in event.participants), None)
    asked.append((f"what did {listed.slot(thing.id)} do last", last.type if last else "none"))
    return asked


def add_asked(tree: Tree, root: int, moment: Moment, encoder: TextEncoder, rng: np.random.Generator, most: int) -> None:
    """Add the task `ask` with up to `most` questions."""
    asked = questions(moment, rng)
    for at in rng.permutation(len(asked))[:most]:
        node = tree.add(encoder.encode(f"ask {asked[at][0]}\n"), root)
        tree.answer(encoder.encode(asked[at][1] + "\n"), node, "ask")


def soft(rerun: np.ndarray, actual: int) -> float | None:
    """Probability that an item comes true, or None when it is not due or unknown."""
    if not np.isfinite(rerun).all():
        return None
    chance = float(rerun.astype(np.float32).sum())
    return float(np.clip(chance if actual < 0 else RERUN_SHARE * chance + (1 - RERUN_SHARE) * (actual < 6), 0, 1))


def forecast_items(moment: Moment, index: int) -> list[tuple[str, float]]:
    """Candidates of `next` with their soft labels, at moment `index` of the scene."""
    arrays, listed = moment.observed.arrays, moment.listed
    found = []
    for thing in listed.things:
        a = int(thing.id)
        for k, kind in enumerate(SINGLE):
            chance = soft(arrays["single"][index, a, k], int(arrays["actual_single"][index, a, k]))
            if chance is not None:
                found.append((item_text(listed, kind, [thing.id]), chance))
        for other in listed.things[listed.slots[thing.id] + 1 :]:
            for k, kind in enumerate(PAIR):
                b = int(other.id)
                chance = soft(arrays["pair"][index, a, b, k], int(arrays["actual_pair"][index, a, b, k]))
                if chance is not None:
                    found.append((item_text(listed, kind, [thing.id, other.id]), chance))
    return found


def add_forecast(
    tree: Tree, root: int, moment: Moment, index: int, encoder: TextEncoder, rng: np.random.Generator, most: int
) -> None:
    """Add the task `next` with up to `most` candidates."""
    items = forecast_items(moment, index)
    if not items:
        return
    node = tree.add(encoder.encode(task_line(moment.listed, "next")), root)
    for at in rng.permutation(len(items))[:most]:
        text, chance = items[at]
        tree.candidate(encoder.encode(text), node, chance, "next")


def add_causes(
    tree: Tree, root: int, moment: Moment, encoder: TextEncoder, rng: np.random.Generator, necessary: np.ndarray | None
) -> None:
    """Add the tasks `why` (unless necessary is None) and `chain` for the focus."""
    listed, focus = moment.listed, moment.focus
    if focus is None:
        raise ValueError("causes need an event in focus")
    others = [thing for thing in listed.things if thing.id not in focus.participants]
    if necessary is not None:
        node = tree.add(encoder.encode(task_line(listed, "why", focus)), root)
        for thing, text in zip(others, needs_texts(listed, focus), strict=True):
            if necessary[int(thing.id)] >= 0:
                tree.candidate(encoder.encode(text), node, float(necessary[int(thing.id)]), "why")
    chain = causal_chain(moment.observed, listed, focus, necessary)
    node = tree.add(encoder.encode(task_line(listed, "chain", focus)), root)
    text = "".join(f"{listed.number(event)} {relation}\n" for event, relation in chain)
    tree.answer(encoder.lines(text), node, "chain")


def moment_sample(
    observed: Observed, index: int, encoder: TextEncoder, rng: np.random.Generator, with_prefix: bool = True
) -> Sample | None:
    """Sample with forecast, positions, appearances and questions at moment `index` of a scene.

    Without `with_prefix`, only questions that the text alone answers.
    """
    moment = moment_at(observed, round(float(observed.arrays["moment"][index]) * HZ), rng, None, shuffled=True)
    if moment is None:
        return None
    tree = Tree()
    root = tree.add(encoder.lines(prompt_of(moment.situation, moment.listed)))
    add_forecast(tree, root, moment, index, encoder, rng, MAX_CANDIDATES)
    if with_prefix:
        add_places(tree, root, moment, encoder, rng, 2)
        add_same(tree, root, moment, encoder, rng)
    add_asked(tree, root, moment, encoder, rng, 2)
    return Sample(tree, moment)


def event_sample(
    observed: Observed, encoder: TextEncoder, rng: np.random.Generator, with_prefix: bool = True, causes: bool = True
) -> Sample | None:
    """Sample with causes and chain of an event that was observed and truly happened, soon after it.

    Without `causes`, counterfactual results are not used.
    """
    known = [
        (event, true[1])
        for event in observed.seen_events
        if event.type not in BEGINNINGS and (true := counterpart(event, observed.true_events)) is not None
    ]
    caused = [(event, need) for event, need in known if (need == 1).any()]
    asked = [(event, need) for event, need in known if (need >= 0).any()]
    choices = caused if caused and rng.random() < 0.6 else asked if asked and rng.random() < 0.8 else known
    if not choices:
        return None
    event, necessary = choices[rng.integers(len(choices))]
    late = confirm_s()[event.type] + float(rng.uniform(0, 1.0))
    frame = min(int(np.ceil((event.t + late) * HZ)), len(observed.seen) - 1)
    moment = moment_at(observed, frame, rng, event, shuffled=True)
    if moment is None:
        return None
    tree = Tree()
    root = tree.add(encoder.lines(prompt_of(moment.situation, moment.listed)))
    add_causes(tree, root, moment, encoder, rng, necessary if causes and (necessary >= 0).any() else None)
    if with_prefix:
        add_places(tree, root, moment, encoder, rng, 1)
    add_asked(tree, root, moment, encoder, rng, 1)
    return Sample(tree, moment)
