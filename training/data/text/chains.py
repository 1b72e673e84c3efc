"""Causal chains as answers of the task `chain`, from true events, necessary objects and the table of relations."""

from __future__ import annotations

import math

import numpy as np

from training.data.text.observed import Observed
from training.data.text.relations import Link, links
from training.data.text.situations import Event, Listing

SAME_S = 1.0
"""Maximum time between an observed event and the matching true event of the same type and participants."""
MAX_STEPS = 3
"""Maximum number of steps before the outcome."""
MIN_PLAUSIBILITY = 0.12
"""Steps with a smaller plausibility are left out."""
BY_CAUSE, BY_BYSTANDER = 5.0, 0.1
"""Factors of steps that involve a further object known to be necessary, or known not to be."""


def counterpart(event: Event, true_events: list[tuple[Event, np.ndarray]]) -> tuple[Event, np.ndarray] | None:
    """Return the true event that matches an observed one, with its necessary objects [8], or None."""
    near = [
        pair
        for pair in true_events
        if pair[0].type == event.type
        and set(pair[0].participants) == set(event.participants)
        and abs(pair[0].t - event.t) <= SAME_S
    ]
    return min(near, key=lambda pair: abs(pair[0].t - event.t), default=None)


def plausibility(earlier: Event, later: Event, link: Link, necessary: np.ndarray | None) -> float:
    """Plausibility, 0 or more, that `earlier` leads to `later`; necessary [8] or None if unknown."""
    shared = set(earlier.participants) & set(later.participants)
    enough = shared == set(earlier.participants) if link.all_participants else bool(shared)
    gap = later.t - earlier.t
    if not enough or gap < 0 or gap > link.window_s:
        return 0.0
    score = link.prior * math.exp(-gap / link.decay_s)
    for name in set(earlier.participants) - set(later.participants):
        if necessary is not None and necessary[int(name)] >= 0:
            score *= BY_CAUSE if necessary[int(name)] else BY_BYSTANDER
    return score


def causal_chain(observed: Observed, listed: Listing, focus: Event, necessary: np.ndarray | None) -> list[tuple[Event, str]]:
    """Return the chain, oldest step first, each with its relation to the next; the last is the focus with `outcome`.

    Only listed events that truly happened are steps.
    """
    chain = [(focus, "outcome")]
    real = [event for event in listed.events if counterpart(event, observed.true_events)]
    while len(chain) <= MAX_STEPS:
        later = chain[0][0]
        rated = [
            (plausibility(event, later, link, necessary), event, link.relation)
            for event in real
            if (link := links().get((event.type, later.type))) and event not in [step for step, _ in chain]
        ]
        score, event, relation = max(rated, key=lambda entry: entry[0], default=(0.0, focus, ""))
        if score < MIN_PLAUSIBILITY:
            break
        chain.insert(0, (event, relation))
    return chain
