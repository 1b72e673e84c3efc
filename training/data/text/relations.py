"""Causal relations, read from the table in src/reasoner/explain/rules/relations.ts, the only copy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from training.paths import ROOT

SOURCE = ROOT / "src" / "reasoner" / "explain" / "rules" / "relations.ts"


@dataclass(frozen=True)
class Link:
    """Relation of an earlier to a later event type; see LinkRule in relations.ts."""

    relation: str
    prior: float
    window_s: float
    decay_s: float
    all_participants: bool


def literal(text: str, name: str, names: dict[str, object]) -> object:
    """Value of `const NAME = …` as Python; arrays, objects, strings and numbers only.

    Raises ValueError when the constant is missing.
    """
    found = re.search(rf"const {name}[^=]*= ([\[{{].*?[\]}}])(?: as const[^;]*)?;\n", text, re.DOTALL)
    if found is None:
        raise ValueError(f"{SOURCE.name} has no {name}")
    python = re.sub(r"//.*", "", found[1]).replace("...", "*")
    return eval(re.sub(r"(?m)^(\s*)(\w+):", r"\1'\2':", python), {"__builtins__": {}}, names)


@cache
def links() -> dict[tuple[str, str], Link]:
    """Links by (earlier type, later type)."""
    text = SOURCE.read_text()
    names: dict[str, object] = {}
    for name in ("PLACE_TYPES", "DEEDS", "TABLE"):
        names[name] = literal(text, name, names)
    table: dict[str, list[Any]] = names["TABLE"]  # type: ignore[assignment]
    return {
        (earlier, later): Link(row[1], row[2], row[3], row[4], len(row) > 5)
        for earlier, rows in table.items()
        for row in rows
        for later in row[0]
    }
