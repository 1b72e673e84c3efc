"""Llama decoder (RMS norms, rotary positions, grouped queries, gated feed-forward, tied embeddings) with optional LoRA."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class LlamaShape:
    """Sizes of a decoder."""

    layers: int
    width: int
    feed: int
    heads: int
    kv_heads: int
    vocabulary: int
    rotary_base: float = 100_000.0
    epsilon: float = 1e-5

    @property
    def head(self) -> int:
        """Width of an attention head."""
        return self.width // self.heads


class LoraLinear(nn.Module):
    """y = (W + scale · B A) x without bias; W is frozen once LoRA is added (Hu et al., arXiv 2106.09685)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        nn.init.normal_(self.weight, std=0.02)
        self.down: nn.Parameter | None = None
        self.up: nn.Parameter | None = None
        self.scale = 0.0

    def add_lora(self, rank: int, alpha: float) -> None:
        """Freeze the weight and add a trainable difference of the given rank."""
        outputs, inputs = self.weight.shape
        self.weight.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        self.scale = alpha / rank

    @torch.no_grad()
    def merge(self) -> None:
        """Add the trained difference to the weight and remove it."""
        if self.down is not None and self.up is not None:
            self.weight += self.scale * (self.up @ self.down)
            self.down = self.up = None

    def forward(self, x: Tensor) -> Tensor:
        """X [..., inputs] to [..., outputs]."""
        y = functional.linear(x, self.weight)
        if self.down is None or self.up is None:
            return y
        return y + functional.linear(functional.linear(x, self.down), self.up) * self.scale


class RmsNorm(nn.Module):
    """Root-mean-square norm."""

    def __init__(self, width: int, epsilon: float):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, x: Tensor) -> Tensor:
        """X [..., width], normalised."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


def rotary_tables(shape: LlamaShape, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine [..., head / 2] of integer positions [...]."""
    rates = shape.rotary_base ** (-torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head)
    angles = positions[..., None].float() * rates
    return angles.cos(), angles.sin()


def rotate(x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """Apply rotary positions to x [B, H, S, head]; the first half of the values of a head pairs with the second half."""
    cosine, sine = tables[0][:, None], tables[1][:, None]
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, shape: LlamaShape):
        super().__init__()
        self.shape = shape
        width, kv = shape.width, shape.kv_heads * shape.head
        self.attention_norm, self.feed_norm = RmsNorm(width, shape.epsilon), RmsNorm(width, shape.epsilon)
        self.q, self.k, self.v = LoraLinear(width, width), LoraLinear(width, kv), LoraLinear(width, kv)
        self.o = LoraLinear(width, width)
        self.gate, self.up = LoraLinear(width, shape.feed), LoraLinear(width, shape.feed)
        self.down = LoraLinear(shape.feed, width)

    def attend(self, x: Tensor, tables: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
        """Attention of x [B, S, width] with bias [B, 1, S, S]."""
        batch, steps, _ = x.shape
        q, k, v = (y.view(batch, steps, -1, self.shape.head).transpose(1, 2) for y in (self.q(x), self.k(x), self.v(x)))
        q, k = rotate(q, tables), rotate(k, tables)
        groups = self.shape.heads // self.shape.kv_heads
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.o(y.transpose(1, 2).reshape(batch, steps, -1))

    def forward(self, x: Tensor, tables: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
        """X [B, S, width] to [B, S, width]."""
        x = x + self.attend(self.attention_norm(x), tables, bias)
        y = self.feed_norm(x)
        return x + self.down(functional.silu(self.gate(y)) * self.up(y))


class Llama(nn.Module):
    """Hidden states from embeddings; `logits` is the tied output layer, applied only to the positions that need it."""

    def __init__(self, shape: LlamaShape):
        super().__init__()
        self.shape = shape
        self.embeddings = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embeddings.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RmsNorm(shape.width, shape.epsilon)

    def forward(self, embedded: Tensor, positions: Tensor, bias: Tensor) -> Tensor:
        """Embedded [B, S, width], positions int64 [B, S], bias [B, 1, S, S] (0 attend, -10000 mask): [B, S, width]."""
        tables = rotary_tables(self.shape, positions)
        x = embedded
        for layer in self.layers:
            x = layer(x, tables, bias)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden [..., width] to [..., vocabulary]."""
        return functional.linear(hidden, self.embeddings.weight)

    def linears(self) -> list[LoraLinear]:
        """All linear layers."""
        return [module for module in self.modules() if isinstance(module, LoraLinear)]

    def add_lora(self, rank: int, alpha: float) -> None:
        """Add LoRA to all linear layers."""
        for linear in self.linears():
            linear.add_lora(rank, alpha)

    def merge(self) -> None:
        """Merge LoRA in all linear layers."""
        for linear in self.linears():
            linear.merge()


def causal_bias(steps: int) -> Tensor:
    """Causal attention bias [1, 1, S, S]."""
    return torch.full((steps, steps), -10_000.0).triu(1)[None, None]
