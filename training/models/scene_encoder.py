"""Scene encoder: embeds 4 s of pooled features by a small transformer over space and time.

It is trained to fill in masked patches, to predict the mean features of the next 3 s, and to detect events.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.object_heads import EPSILON, GRID_COLUMNS, GRID_ROWS

WINDOW_FRAMES, WINDOW_HZ = 16, 4
CHANNELS = 256
ROWS, COLUMNS = GRID_ROWS // 2, GRID_COLUMNS // 2
PATCHES = ROWS * COLUMNS
WIDTH, HEADS, LAYERS = 128, 4, 3
DROPOUT = 0.15
EMBEDDING_SIZE = 256
EVENT_COUNT = 5


class Layer(nn.Module):
    """Pre-norm self-attention and a two-layer perceptron."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.feed = nn.Sequential(nn.Linear(WIDTH, 3 * WIDTH), nn.GELU(approximate="tanh"), nn.Linear(3 * WIDTH, WIDTH))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """X [B, S, WIDTH] to [B, S, WIDTH]."""
        q, k, v = (self.split(chunk) for chunk in self.qkv(self.first(x)).chunk(3, -1))
        weights = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * (WIDTH // HEADS) ** -0.5, -1)
        attended = torch.matmul(weights, v).transpose(1, 2).flatten(2)
        x = x + self.drop(self.out(attended))
        return x + self.drop(self.feed(self.second(x)))

    def split(self, x: Tensor) -> Tensor:
        """Split [B, S, WIDTH] into heads [B, HEADS, S, WIDTH / HEADS]."""
        return x.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)


class SceneEncoder(nn.Module):
    """Patches of 2 x 2 grid cells in 16 frames, a class token, and the heads of the three training tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("scale", torch.ones(CHANNELS))
        self.embed = nn.Linear(2 * CHANNELS, WIDTH)
        self.when = nn.Parameter(torch.randn(1, WINDOW_FRAMES, 1, WIDTH) * 0.02)
        self.where = nn.Parameter(torch.randn(1, 1, PATCHES, WIDTH) * 0.02)
        self.hidden = nn.Parameter(torch.randn(WIDTH) * 0.02)
        self.summary = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.embedding = nn.Linear(WIDTH, EMBEDDING_SIZE)
        self.fill = nn.Linear(WIDTH, CHANNELS)
        self.seek, self.offer = nn.Linear(WIDTH, 32), nn.Linear(WIDTH, 32)
        self.apart = nn.Parameter(torch.zeros(WINDOW_FRAMES))
        self.ahead = nn.Sequential(nn.Linear(EMBEDDING_SIZE, 128), nn.GELU(), nn.Linear(128, PATCHES * CHANNELS))
        self.events = nn.Sequential(nn.Dropout(2 * DROPOUT), nn.Linear(EMBEDDING_SIZE, 2 * EVENT_COUNT))

        for corrected in (self.fill, self.ahead[2]):
            nn.init.zeros_(corrected.weight)
            nn.init.zeros_(corrected.bias)

    def patches(self, grid: Tensor) -> Tensor:
        """[B, T, 48, 256] to standardised features [B, T, 12, 256], each the mean of 2 x 2 cells."""
        batch, frames = grid.shape[:2]
        cells = ((grid - self.mean) / self.scale).reshape(batch * frames, GRID_ROWS, GRID_COLUMNS, CHANNELS)
        return (
            functional.avg_pool2d(cells.permute(0, 3, 1, 2), 2)
            .flatten(2)
            .transpose(1, 2)
            .reshape(batch, frames, PATCHES, CHANNELS)
        )

    def encode(self, patches: Tensor, masked: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Embedding [B, 256] of length 1 and features of all patches [B, T * 12, WIDTH]; `masked` [B, T, 12] are hidden."""
        seen = patches if masked is None else patches * ~masked[..., None]
        x = self.embed(torch.cat([seen, self.change(seen, masked)], -1))
        if masked is not None:
            x = torch.where(masked[..., None], self.hidden.expand_as(x), x)
        x = (x + self.when + self.where).flatten(1, 2)
        x = torch.cat([self.summary.expand(x.shape[0], -1, -1), x], 1)
        for layer in self.layers:
            x = layer(x)
        x = self.norm(x)
        embedding = self.embedding(x[:, 0])
        return embedding / (embedding.square().sum(1, keepdim=True) + EPSILON).sqrt(), x[:, 1:]

    def change(self, patches: Tensor, masked: Tensor | None) -> Tensor:
        """Difference from the frame before, times 4; 0 where either frame is masked."""
        difference = 4 * (patches[:, 1:] - patches[:, :-1])
        if masked is not None:
            difference = difference * ~(masked[:, 1:] | masked[:, :-1])[..., None]
        return torch.cat([torch.zeros_like(patches[:, :1]), difference], 1)


class SceneEmbedding(nn.Module):
    """models/clip.onnx: grid [1, 16, 48, 256] to embedding [1, 256]."""

    def __init__(self, encoder: SceneEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, grid: Tensor) -> Tensor:
        """Grid [B, 16, 48, 256] to [B, 256]."""
        return self.encoder.encode(self.encoder.patches(grid))[0]
