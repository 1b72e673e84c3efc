"""Does a configuration run? Builds its networks with random weights and makes a few steps of `instruct` on random inputs.

    python -m training.train.smoke --config training/train/configs/published.json

`smoke` in the file says what is reduced so that a small machine can do it: layers and tokens of the language model.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import ViTConfig, ViTModel

from training.models.language.fusion import FEATURES, CoreShape, FusionCore
from training.models.language.llama import Llama, LlamaShape, causal_bias


def shaped(kind: type, values: dict, **changes: int) -> object:
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in (values | changes).items() if name in known})


class Published(nn.Module):
    """Clip encoder, core and language model, as `Fused`, from a configuration."""

    def __init__(self, config: dict):
        super().__init__()
        small = config["smoke"]
        encoder = {name: value for name, value in config["clip_encoder"].items() if name != "kind"}
        self.encoder = ViTModel(ViTConfig(**encoder), add_pooling_layer=False)
        shape = shaped(LlamaShape, config["language"], layers=small["layers"], vocabulary=small["vocabulary"])
        self.core = FusionCore(shaped(CoreShape, config["fusion"], prefix=shape.width))
        self.language = Llama(shape)
        self.language.requires_grad_(False)
        self.language.add_lora(config["lora"]["rank"], config["lora"]["alpha"])

    def forward(self, frames: Tensor, features: Tensor, looks: Tensor, text: Tensor) -> Tensor:
        """frames [C, 3, H, W], features [1, N, FEATURES], looks [1, N, token], text int64 [1, S]: the loss of the text."""
        clips = self.encoder(frames).last_hidden_state[:, 0][None]
        count = features.shape[1]
        prefix = self.core(features, torch.arange(count)[None], looks, torch.ones(1, count), clips,
                           torch.arange(clips.shape[1]).float()[None], torch.ones(1, clips.shape[1]))  # fmt: skip
        embedded = torch.cat([prefix, self.language.embeddings(text)], 1)
        steps = embedded.shape[1]
        hidden = self.language(embedded, torch.arange(steps)[None], causal_bias(steps))[:, prefix.shape[1] - 1 : -1]
        return functional.cross_entropy(self.language.logits(hidden)[0], text[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    config = json.loads(parser.parse_args().config.read_text())
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model, small, plan = Published(config), config["smoke"], config["training"]
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    millions = {name: sum(w.numel() for w in part.parameters()) / 1e6 for name, part in model.named_children()}
    print({name: f"{value:.1f} M" for name, value in millions.items()}, f"trained {sum(w.numel() for w in trained) / 1e6:.1f} M")
    optimizer = torch.optim.AdamW(trained, plan["rate"], weight_decay=plan["weight_decay"])
    side, token = config["clip_encoder"]["image_size"], config["fusion"]["token"]
    inputs = (
        torch.randn(small["frames"], 3, side, side), torch.randn(1, small["objects"], FEATURES),
        torch.randn(1, small["objects"], token) / token**0.5, torch.randint(small["vocabulary"], (1, small["text"])),
    )  # fmt: skip
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
