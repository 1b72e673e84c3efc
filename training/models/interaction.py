"""Attention among objects with pair features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HIDDEN_SCORE = -1e4


class Interaction(nn.Module):
    """Pre-norm transformer layer. Pair features bias the scores and are part of the gathered values."""

    def __init__(self, width: int, pair_width: int, heads: int, inner: int):
        super().__init__()
        self.heads, self.each = heads, width // heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.bias = nn.Linear(pair_width, heads)
        self.gather = nn.Linear(width + heads * pair_width, width)
        self.inner = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))

    def forward(self, nodes: Tensor, pairs: Tensor, valid: Tensor) -> Tensor:
        """Nodes [B, N, W], pairs [B, N, N, P] (row: the object that attends), valid [B, N]: [B, N, W]."""
        batch, things, width = nodes.shape
        asked = self.ask(self.before(nodes)).reshape(batch, things, 3, self.heads, self.each).permute(2, 0, 3, 1, 4)
        query, key, value = asked[0], asked[1], asked[2]
        score = query @ key.transpose(-1, -2) * self.each**-0.5 + self.bias(pairs).permute(0, 3, 1, 2)
        score = score + (1 - valid)[:, None, None, :] * HIDDEN_SCORE
        share = torch.softmax(score, -1)
        seen = (share @ value).transpose(1, 2).reshape(batch, things, width)
        edges = (share.permute(0, 2, 1, 3) @ pairs).reshape(batch, things, -1)
        nodes = nodes + self.gather(torch.cat([seen, edges], -1))
        return nodes + self.inner(self.between(nodes))


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with GELU between them."""
    layers: list[nn.Module] = []
    for before, after in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Linear(before, after), nn.GELU()]
    return nn.Sequential(*layers[:-1])
