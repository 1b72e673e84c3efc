"""Object heads on the features of the frozen detector: masks, their quality, appearance embeddings, and the scene grid.

Crops of the picture give the outline, crops of the feature maps the class. `ObjectHeads.forward` contains everything that the
runtime computes and is exported unchanged.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import roi_align

MASK_SIDE = 48
HALF_SIDE = MASK_SIDE // 2
QUARTER_SIDE = MASK_SIDE // 4
MARGIN = 0.4
"""The crop is the box enlarged by this share of its sides about its centre."""
CHANNELS = 128
EMBEDDING_SIZE = 128
NARROW = 24
GRID_ROWS, GRID_COLUMNS = 6, 8
BANDS = 3
NEAR, FAR = 12, 24
"""Channels to which P3 and P4 are reduced before they are cropped."""
EPSILON = 1e-6


def block(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def enlarge(boxes: Tensor) -> Tensor:
    """Boxes [N, 4] (x, y, w, h) enlarged by MARGIN, as [N, 4] (x0, y0, x1, y1)."""
    corner, size = boxes[:, :2], boxes[:, 2:]
    return torch.cat([corner - MARGIN / 2 * size, corner + (1 + MARGIN / 2) * size], 1)


def crop(plane: Tensor, corners: Tensor, extent: Tensor, side: int, samples: int) -> Tensor:
    """[N, C, side, side] from a map [1, C, H, W] of which `extent` [2] (width, height) px hold the picture."""
    rois = corners * torch.cat([extent, extent])
    index = torch.zeros_like(rois[:, :1])
    return roi_align(plane, torch.cat([index, rois], 1), [side, side], 1.0, samples, True)


def size_of(plane: Tensor) -> Tensor:
    """Float [2]: width and height of a map in px, also when the size is known only at run time."""
    return torch._shape_as_tensor(plane)[[3, 2]].float()


class Crops(nn.Module):
    """Inputs of the heads: crops of the picture and of P3 and P4 in the enlarged boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.p3 = nn.Conv2d(CHANNELS, NEAR, 1)
        self.p4 = nn.Conv2d(CHANNELS, FAR, 1)

    def forward(
        self, maps: tuple[Tensor, Tensor], planes: tuple[Tensor, Tensor, Tensor], covered: Tensor, corners: Tensor
    ) -> tuple[Tensor, ...]:
        """Return luma [N, 1, S, S], chroma [N, 2, S/2, S/2], near [N, 12, S/2, S/2] and far [N, 24, S/4, S/4]."""
        p3, p4 = maps
        y, u, v = (plane.float() for plane in planes)
        luma = crop(y, corners, size_of(y), MASK_SIDE, 1)
        chroma = crop(torch.cat([u, v], 1), corners, size_of(u), HALF_SIDE, 1)
        near = crop(self.p3(p3), corners, size_of(p3) * covered, HALF_SIDE, 1)
        far = crop(self.p4(p4), corners, size_of(p4) * covered, QUARTER_SIDE, 1)
        return luma, chroma, near, far


class MaskHead(nn.Module):
    """A small U-net over a crop. It compares the colours inside and around the object, similar to GrabCut."""

    def __init__(self) -> None:
        super().__init__()
        self.edges = block(1, 8)
        self.shrink = block(8, 16, stride=2)
        self.fuse = block(16 + 3 + NEAR + 1, 24)
        self.place = nn.Parameter(torch.zeros(1, 24, HALF_SIDE, HALF_SIDE))
        self.down = block(24, 40, stride=2)
        self.middle = nn.Sequential(block(40 + FAR, 40), block(40, 40))
        self.context = nn.Linear(40, 40)
        self.coarse = nn.Conv2d(40, 1, 1)
        self.colours = nn.Conv2d(24, 8, 1)
        self.compare = nn.Conv2d(2, 24, 1)
        self.up = nn.Conv2d(40, 24, 1)
        self.refine = block(24, 16)
        self.last = nn.Sequential(block(16 + 8, 8), nn.Conv2d(8, 1, 1))
        self.quality = nn.Sequential(nn.Linear(40 + 3, 32), nn.ReLU(inplace=True), nn.Linear(32, 1))

    def forward(self, luma: Tensor, chroma: Tensor, near: Tensor, far: Tensor, heat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [N, side, side], logit of the predicted IoU [N], coarse logits [N, 1, side / 4, side / 4]."""
        mean = luma.mean((2, 3), keepdim=True)
        spread = (luma - mean).abs().mean((2, 3), keepdim=True) + 6
        relative = (luma - mean) / (2 * spread)
        tint = (chroma - chroma.mean((2, 3), keepdim=True)) / 12
        edges = self.edges(relative)
        small = functional.avg_pool2d(relative, 2)
        fused = self.fuse(torch.cat([self.shrink(edges), small, tint, near, heat], 1)) + self.place
        middle = self.middle(torch.cat([self.down(fused), far], 1))
        pooled = middle.mean((2, 3))
        middle = middle + self.context(pooled)[:, :, None, None]
        coarse = self.coarse(middle)
        likeness = self.likeness(self.colours(fused), up(torch.sigmoid(coarse)))
        refined = self.refine(up(self.up(middle)) + fused + self.compare(likeness))
        logits = self.last(torch.cat([up(refined), edges], 1))
        return logits[:, 0], self.rate(pooled, logits, coarse), coarse

    def likeness(self, colours: Tensor, inside: Tensor) -> Tensor:
        """Squared distance [N, 2, h, w] of each cell to the mean colour of the inside and of the outside."""
        maps = []
        for weight in (inside, 1 - inside):
            mean = (colours * weight).sum((2, 3), keepdim=True) / (weight.sum((2, 3), keepdim=True) + 1)
            maps.append(((colours - mean) ** 2).mean(1, keepdim=True))
        return torch.cat(maps, 1).clamp(max=4)

    def rate(self, pooled: Tensor, logits: Tensor, coarse: Tensor) -> Tensor:
        """Logit of the predicted IoU [N]."""
        share = torch.sigmoid(logits)
        doubt = (share * (1 - share)).mean((1, 2, 3))
        features = torch.stack([share.mean((1, 2, 3)), doubt * 4, torch.sigmoid(coarse).mean((1, 2, 3))], 1)
        return self.quality(torch.cat([pooled, features], 1))[:, 0]


def up(x: Tensor) -> Tensor:
    """Double the resolution."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class EmbeddingHead(nn.Module):
    """Mask-average-pooled P3, P4 and P5 and colours of the upper, middle and lower third, projected onto a sphere.

    The features pass through a narrow bottleneck with dropout: at full width, the projector overfits to the drawn objects and
    does worse on
    new ones than colours alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.colours = nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU(inplace=True), nn.Conv2d(32, 32, 1), nn.ReLU(inplace=True))
        self.narrow = nn.Sequential(nn.LayerNorm(3 * CHANNELS), nn.Dropout(0.5), nn.Linear(3 * CHANNELS, NARROW))
        self.project = nn.Sequential(
            nn.Linear(NARROW + 32 * (BANDS + 1), 256), nn.ReLU(inplace=True), nn.Linear(256, EMBEDDING_SIZE)
        )
        rows = (torch.arange(HALF_SIDE) + 0.5) / HALF_SIDE * (1 + MARGIN) - MARGIN / 2
        bands = [((rows >= k / BANDS) & (rows < (k + 1) / BANDS)).float() for k in range(BANDS)]
        self.register_buffer("bands", torch.stack([*bands, torch.ones(HALF_SIDE)]))

    def forward(self, pooled: Tensor, weights: Tensor, picture: Tensor) -> Tensor:
        """Pooled [N, 3, 128] of `pool_map`, weights [N, S/2, S/2], picture [N, 3, S/2, S/2]: embeddings [N, 128]."""
        colours = self.colours(picture)
        banded = weights[:, None] * self.bands[None, :, :, None]
        sums = torch.matmul(banded.flatten(2), colours.flatten(2).transpose(1, 2))
        means = sums / (banded.sum((2, 3))[..., None] + 0.5)
        embedding = self.project(torch.cat([self.narrow(pooled.flatten(1)), means.flatten(1)], 1))
        return embedding / (embedding.square().sum(1, keepdim=True) + EPSILON).sqrt()


def small_picture(luma: Tensor, chroma: Tensor) -> Tensor:
    """Colours [N, 3, side / 2, side / 2], about -1 to 1."""
    return torch.cat([(functional.avg_pool2d(luma, 2) - 110) / 64, (chroma - 128) / 32], 1)


def mask_weights(masks: Tensor) -> Tensor:
    """Weights [N, side / 2, side / 2] from probabilities [N, side, side]; squared, so that uncertain cells count little."""
    return functional.avg_pool2d(masks.square()[:, None], 2)[:, 0]


def hats(start: Tensor, end: Tensor, cells: Tensor, extent: Tensor) -> Tensor:
    """Bilinear weights [N, side / 2, cells] of the cells of a map at the sample points of a crop along one axis."""
    steps = (torch.arange(HALF_SIDE, dtype=torch.float32) + 0.5) / HALF_SIDE
    at = (start[:, None] + (end - start)[:, None] * steps) * extent - 0.5
    at = torch.minimum(at.clamp(min=0.0), extent - 1)
    return (1 - (at[:, :, None] - cells).abs()).clamp(min=0.0)


def pool_map(plane: Tensor, covered: Tensor, corners: Tensor, weights: Tensor) -> Tensor:
    """Map [1, C, H, W] averaged under the masks with bilinear sampling, [N, C]."""
    extent = size_of(plane) * covered
    across = hats(corners[:, 0], corners[:, 2], torch.arange(plane.shape[3]), extent[0])
    down = hats(corners[:, 1], corners[:, 3], torch.arange(plane.shape[2]), extent[1])
    spread = torch.matmul(down.transpose(1, 2), torch.matmul(weights, across)).flatten(1)
    share = spread / (spread.sum(1, keepdim=True) + EPSILON)
    return torch.matmul(share, plane.squeeze(0).flatten(1).transpose(0, 1))


def pool_grid(plane: Tensor, covered: Tensor) -> Tensor:
    """Mean over 6 rows x 8 columns of the covered region of a map [1, C, H, W], row by row: [48, C]."""
    extent = size_of(plane) * covered
    columns = spans(torch.arange(plane.shape[3]), extent[0], GRID_COLUMNS)
    rows = spans(torch.arange(plane.shape[2]), extent[1], GRID_ROWS)
    pooled = torch.matmul(torch.matmul(rows, plane.squeeze(0)), columns.transpose(0, 1))
    return pooled.flatten(1).transpose(0, 1)


def spans(cells: Tensor, extent: Tensor, count: int) -> Tensor:
    """[count, cells]: share of each cell in each of `count` equal spans of 0 to `extent`, rows summing to 1."""
    edges = torch.arange(count + 1, dtype=torch.float32) / count * extent
    shared = torch.minimum(edges[1:, None], cells + 1) - torch.maximum(edges[:-1, None], cells)
    shared = shared.clamp(min=0.0)
    return shared / (shared.sum(1, keepdim=True) + EPSILON)


def point_heat(points: Tensor, corners: Tensor) -> Tensor:
    """Gaussian of a tenth of the crop at the point, 0 without a point: [N, 1, side / 2, side / 2]."""
    steps = (torch.arange(HALF_SIDE, dtype=torch.float32) + 0.5) / HALF_SIDE
    at = (points[:, :2] - corners[:, :2]) / (corners[:, 2:] - corners[:, :2] + EPSILON)
    bump = torch.exp(-((steps[None, None] - at[:, :, None]) ** 2) / (2 * 0.1**2))
    heat = bump[:, 1, :, None] * bump[:, 0, None, :]
    return (heat * points[:, 2, None, None])[:, None]


class ObjectHeads(nn.Module):
    """models/objects.onnx; the manifest describes inputs and outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.crops, self.masks, self.embeddings = Crops(), MaskHead(), EmbeddingHead()

    def forward(
        self, p3: Tensor, p4: Tensor, p5: Tensor, y: Tensor, u: Tensor, v: Tensor, covered: Tensor, boxes: Tensor, points: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return masks [N, S, S], quality [N], embeddings [N, 128] and grid [48, 256]."""
        corners = enlarge(boxes)
        luma, chroma, near, far = self.crops((p3, p4), (y, u, v), covered, corners)
        logits, quality, _ = self.masks(luma, chroma, near, far, point_heat(points, corners))
        masks = torch.sigmoid(logits)
        weights = mask_weights(masks)
        pooled = torch.stack([pool_map(plane, covered, corners, weights) for plane in (p3, p4, p5)], 1)
        embeddings = self.embeddings(pooled, weights, small_picture(luma, chroma))
        grid = torch.cat([pool_grid(p4, covered), pool_grid(p5, covered)], 1)
        return masks, torch.sigmoid(quality), embeddings, grid
