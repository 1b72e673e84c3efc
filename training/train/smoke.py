"""Checks that a configuration runs: a few steps of `instruct` with random weights on random inputs.

    python -m training.train.smoke --config training/train/configs/published.json

`smoke` in the file names the reductions for small machines: layers and vocabulary of the language model.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import ViTConfig, ViTModel

from training.models.language.fusion import STEPS, CoreShape, FusionCore, FusionInputs
from training.models.language.llama import Llama, LlamaShape, causal_bias

Shape = TypeVar("Shape", LlamaShape, CoreShape)


def shaped(kind: type[Shape], values: dict[str, Any], **changes: int) -> Shape:
    """Shape with the values of a configuration that it has fields for."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in (values | changes).items() if name in known})


class Published(nn.Module):
    """Scene encoder, core and language model from a configuration."""

    def __init__(self, config: dict[str, Any]):
        super().__init__()
        small = config["smoke"]
        encoder = {name: value for name, value in config["clip_encoder"].items() if name != "kind"}
        self.encoder = ViTModel(ViTConfig(**encoder), add_pooling_layer=False)
        shape = shaped(LlamaShape, config["language"], layers=small["layers"], vocabulary=small["vocabulary"])
        self.core = FusionCore(shaped(CoreShape, config["fusion"], prefix=shape.width))
        self.language = Llama(shape)
        self.language.requires_grad_(False)
        self.language.add_lora(config["lora"]["rank"], config["lora"]["alpha"])

    def forward(self, frames: Tensor, tracks: FusionInputs, text: Tensor) -> Tensor:
        """Frames [C, 3, H, W], tracks of one scene, text int64 [1, S]: the loss of the text."""
        scenes = self.encoder(frames).last_hidden_state[:, 0][None]
        count = scenes.shape[1]
        ages, valid = torch.arange(count).float()[None], torch.ones(1, count)
        prefix = self.core(replace(tracks, scenes=scenes, scene_age=ages, scene_valid=valid))
        embedded = torch.cat([prefix, self.language.embeddings(text)], 1)
        steps = embedded.shape[1]
        hidden = self.language(embedded, torch.arange(steps)[None], causal_bias(steps))[:, prefix.shape[1] - 1 : -1]
        return functional.cross_entropy(self.language.logits(hidden)[0], text[0])


def random_tracks(objects: int, width: int) -> FusionInputs:
    """Objects on random walks with random appearances; scene embeddings are added by `Published.forward`."""
    corners = torch.rand(1, objects, 1, 2) * 0.5 + torch.randn(1, objects, STEPS, 2).cumsum(2) * 0.005
    boxes = torch.cat([corners, torch.full((1, objects, STEPS, 2), 0.2)], -1)
    shape = (1, objects)
    return FusionInputs(
        boxes, torch.ones(*shape, STEPS), torch.zeros(shape, dtype=torch.int64), torch.full(shape, 3.0), torch.tensor([1.5]),
        torch.arange(objects)[None], torch.randn(*shape, width) / width**0.5, torch.ones(shape),
        torch.zeros(1, 0, width), torch.zeros(1, 0), torch.zeros(1, 0),
    )  # fmt: skip


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    config = json.loads(parser.parse_args().config.read_text())
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model, small, plan = Published(config), config["smoke"], config["training"]
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    millions = {name: sum(w.numel() for w in child.parameters()) / 1e6 for name, child in model.named_children()}
    print({name: f"{value:.1f} M" for name, value in millions.items()}, f"trained {sum(w.numel() for w in trained) / 1e6:.1f} M")
    optimizer = torch.optim.AdamW(trained, plan["rate"], weight_decay=plan["weight_decay"])
    side, token = config["clip_encoder"]["image_size"], config["fusion"]["token"]
    frames, text = torch.randn(small["frames"], 3, side, side), torch.randint(small["vocabulary"], (1, small["text"]))
    inputs = frames, random_tracks(small["objects"], token), text
    for step in range(small["steps"]):
        started = time.monotonic()
        warm, share = min(1.0, (step + 1) / plan["warm_up"]), step / plan["steps"]
        for group in optimizer.param_groups:
            group["lr"] = plan["rate"] * warm * 0.5 * (1 + math.cos(math.pi * share))
        loss = model(*inputs)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if not torch.isfinite(loss):
            raise SystemExit(f"the loss of step {step} is {loss.item()}")
        print(f"step {step}: loss {loss.item():.3f}, {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
