"""Token sequences as trees after a visual prefix: each node attends to its ancestors and itself, as packed candidates do."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

HIDDEN = -10_000.0
ROOT = -1


class TextEncoder:
    """Tokenizer with a cache of lines, which recur often."""

    def __init__(self, path: Path):
        tokenizer = Tokenizer.from_file(str(path))
        self.encode = lru_cache(200_000)(lambda text: tuple(tokenizer.encode(text).ids))
        self.digits = [self.encode(str(digit))[0] for digit in range(10)]

    def lines(self, text: str) -> list[int]:
        """Token ids of a text, encoded line by line, so that no token spans two lines."""
        return [token for line in text.splitlines(keepends=True) for token in self.encode(line)]


@dataclass
class Tree:
    """Tokens in order of writing, each belonging to a node; the prefix precedes all of them and is not stored."""

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    node_of: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Index of the last token of each node."""
    words: list[tuple[int, int, str]] = field(default_factory=list)
    """(index, next token to predict, task)."""
    digits: list[tuple[int, float, str]] = field(default_factory=list)
    """(index, probability to predict as the next digit, task)."""

    def add(self, tokens: list[int] | tuple[int, ...], parent: int = ROOT) -> int:
        """Append a node and return its index."""
        start = self.positions[self.ends[parent]] + 1 if parent != ROOT else 0
        self.parents.append(parent)
        node = len(self.parents) - 1
        self.tokens += tokens
        self.positions += range(start, start + len(tokens))
        self.node_of += [node] * len(tokens)
        self.ends.append(len(self.tokens) - 1)
        return node

    def answer(self, tokens: list[int] | tuple[int, ...], parent: int, task: str) -> None:
        """Append a text to predict after a node."""
        first = len(self.tokens)
        self.words.append((self.ends[parent], tokens[0], task))
        self.words += [(first + k, token, task) for k, token in enumerate(tokens[1:])]
        if len(tokens) > 1:
            self.add(tokens[:-1], parent)

    def candidate(self, tokens: tuple[int, ...], parent: int, probability: float, task: str) -> None:
        """Append a candidate whose probability is to be predicted as a digit after it."""
        self.digits.append((self.ends[self.add(tokens, parent)], probability, task))

    def ancestry(self) -> np.ndarray:
        """[nodes, nodes], true if the second node is the first one or an ancestor of it."""
        related = np.eye(len(self.parents), dtype=bool)
        for node, parent in enumerate(self.parents):
            if parent != ROOT:
                related[node] |= related[parent]
        return related


@dataclass
class Batch:
    """Padded trees; target indices count within a row, without the prefix."""

    tokens: Tensor
    positions: Tensor
    bias: Tensor
    words: Tensor
    """int64 [W, 3]: row, index, token."""
    word_tasks: list[str]
    digits: Tensor
    """int64 [D, 2]: row, index."""
    probabilities: Tensor
    digit_tasks: list[str]


def tree_bias(tree: Tree, size: int) -> np.ndarray:
    """Attention bias [size, size], 0 where the row attends to the column."""
    nodes = np.array(tree.node_of)
    seen = np.zeros((size, size), bool)
    count = len(nodes)
    seen[:count, :count] = tree.ancestry()[nodes[:, None], nodes[None]] & np.tri(count, dtype=bool)
    np.fill_diagonal(seen, True)
    return np.where(seen, 0.0, HIDDEN).astype(np.float32)


def pack(trees: list[Tree], prefix: int) -> Batch:
    """Pad trees to a batch; positions and bias include the prefix, to which all tokens attend."""
    size = max(len(tree.tokens) for tree in trees)
    tokens = np.zeros((len(trees), size), np.int64)
    positions = np.tile(np.arange(prefix + size), (len(trees), 1))
    bias = np.full((len(trees), 1, prefix + size, prefix + size), HIDDEN, np.float32)
    bias[:, 0, :prefix, :prefix] = np.where(np.tri(prefix, dtype=bool), 0.0, HIDDEN)
    bias[:, 0, prefix:, :prefix] = 0.0
    for row, tree in enumerate(trees):
        tokens[row, : len(tree.tokens)] = tree.tokens
        positions[row, prefix : prefix + len(tree.positions)] = prefix + np.array(tree.positions)
        bias[row, 0, prefix:, prefix:] = tree_bias(tree, size)
    words = [(row, index, token) for row, tree in enumerate(trees) for index, token, _ in tree.words]
    digits = [(row, index) for row, tree in enumerate(trees) for index, _, _ in tree.digits]
    return Batch(
        torch.from_numpy(tokens), torch.from_numpy(positions), torch.from_numpy(bias),
        torch.tensor(words, dtype=torch.int64).reshape(-1, 3),
        [task for tree in trees for _, _, task in tree.words],
        torch.tensor(digits, dtype=torch.int64).reshape(-1, 2),
        torch.tensor([p for tree in trees for _, p, _ in tree.digits], dtype=torch.float32),
        [task for tree in trees for _, _, task in tree.digits],
    )  # fmt: skip
