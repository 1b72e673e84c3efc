"""Compares the exported files in ONNX Runtime with PyTorch.

    python -m training.export.language.parity record --base BASE --work WORK
    python -m training.export.language.parity check --models models

`record` stores the outputs of PyTorch in test/fixtures/fused/parity.json, which a test of the TypeScript runtime reads as well.
`check` compares the files with it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch.nn import functional

from training.data.text.tree import TextEncoder, Tree, pack
from training.export.language.graph import read_embeddings
from training.models.language.fused import Fused
from training.models.language.fusion import LiveCore
from training.paths import ROOT

FIXTURE = ROOT / "test" / "fixtures" / "fused" / "parity.json"
PREFIX_TOLERANCE, SHARE_TOLERANCE = 0.08, 0.05
"""Maximum difference of a prefix value (whose spread is about 0.2) and of the share of a digit, given int8 weights."""
PROMPT = (
    "objects\n#1 person moving\n#2 ball standing\n#3 car gone\n"
    "events\ne1 enter #1 4.0\ne2 start_moving #1 2.1\ne3 collide #1 #2 0.6\n"
)
CASES = [
    {"prompt": PROMPT + "next\n", "continuations": ["exit #1 ", "start_moving #2 ", "collide #1 #2 ", "turn #1 "]},
    {"prompt": PROMPT + "why e3\n", "continuations": ["needs #3 "]},
]


def visual() -> dict[str, Any]:
    """Inputs of the core as JSON: three objects, the last one not in view; lengths in frame heights."""
    steps, count = 30, 3
    boxes, seen = np.zeros((count, steps, 4)), np.ones((count, steps))
    time = np.arange(steps) / 10
    boxes[0] = np.stack([0.2 + 0.12 * time, 0.4 + 0.02 * time, np.full(steps, 0.1), np.full(steps, 0.3)], 1)
    boxes[1] = [0.75, 0.62, 0.08, 0.08]
    seen[2] = 0
    appearances = np.zeros((count, 256))
    appearances[0, 3] = appearances[1, 40] = 1
    scenes = np.zeros((1, 256))
    scenes[0, 100] = 1
    return {
        "count": count, "steps": steps, "boxes": boxes.round(4).reshape(-1).tolist(), "seen": seen.reshape(-1).tolist(),
        "kinds": [0, 3, 1], "ages": [4.0, 20.0, 3.0], "aspect": 1.5, "slots": [0, 1, 2],
        "looks": [{"object": 0, "axis": 3}, {"object": 1, "axis": 40}], "clips": [{"ageS": 0.4, "axis": 100}],
    }  # fmt: skip


def feed_of(visual_inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """Inputs of fusion.onnx."""
    count, steps = visual_inputs["count"], visual_inputs["steps"]
    appearances, scenes = np.zeros((count, 256), np.float32), np.zeros((len(visual_inputs["clips"]), 256), np.float32)
    for appearance in visual_inputs["looks"]:
        appearances[appearance["object"], appearance["axis"]] = 1
    for row, scene in enumerate(visual_inputs["clips"]):
        scenes[row, scene["axis"]] = 1
    return {
        "boxes": np.array(visual_inputs["boxes"], np.float32).reshape(count, steps, 4),
        "seen": np.array(visual_inputs["seen"], np.float32).reshape(count, steps),
        "kind": np.array(visual_inputs["kinds"]),
        "age": np.array(visual_inputs["ages"], np.float32),
        "aspect": np.array([visual_inputs["aspect"]], np.float32),
        "slot": np.array(visual_inputs["slots"]),
        "looks": appearances,
        "clips": scenes,
        "clip_age": np.array([scene["ageS"] for scene in visual_inputs["clips"]], np.float32),
    }


def tree_of(case: dict[str, Any], encoder: TextEncoder) -> Tree:
    """Tree of a prompt with its continuations as candidates."""
    tree = Tree()
    root = tree.add(encoder.lines(case["prompt"]))
    for text in case["continuations"]:
        tree.candidate(encoder.encode(text), root, 0.0, "")
    return tree


@torch.no_grad()
def outputs_of(fused: Fused, encoder: TextEncoder) -> dict[str, Any]:
    """Inputs, prefix and digit shares of PyTorch, as JSON."""
    given = visual()
    feed = [torch.from_numpy(value) for value in feed_of(given).values()]
    prefix, cases = LiveCore(fused.visual)(*feed), []
    for case in CASES:
        batch = pack([tree_of(case, encoder)], prefix.shape[1])
        embedded = torch.cat([prefix, fused.language.embeddings(batch.tokens)], 1)
        hidden = fused.language(embedded, batch.positions, batch.bias)[0, prefix.shape[1] :]
        shares = functional.softmax(fused.language.logits(hidden[batch.digits[:, 1]])[:, encoder.digits], -1)
        cases.append(case | {"digits": shares.numpy().round(5).tolist()})
    return {"visual": given, "prefix": prefix[0, :, :8].numpy().round(5).tolist(), "cases": cases}


def session(path: Path) -> onnxruntime.InferenceSession:
    """Open a model on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def gaps(models: Path, expected: dict[str, Any]) -> dict[str, float]:
    """Largest differences from the recorded outputs."""
    prefix = session(models / "fusion.onnx").run(None, feed_of(expected["visual"]))[0]
    language, encoder = session(models / "language.onnx"), TextEncoder(models / "tokenizer.json")
    table = read_embeddings(models / "embeddings.bin", prefix.shape[-1])
    past = {
        i.name: np.zeros((1, i.shape[1], 0, i.shape[3]), np.float32) for i in language.get_inputs() if i.name.startswith("past")
    }
    found = {"prefix": float(np.abs(prefix[0, :, :8] - np.array(expected["prefix"])).max())}
    for number, case in enumerate(expected["cases"]):
        batch = pack([tree_of(case, encoder)], prefix.shape[1])
        feed = {
            "inputs_embeds": np.concatenate([prefix, table[batch.tokens.numpy()]], 1).astype(np.float32),
            "position_ids": batch.positions.numpy(), "attention_bias": batch.bias.numpy(),
            "logit_positions": batch.digits[:, 1].numpy() + prefix.shape[1],
        }  # fmt: skip
        logits = torch.from_numpy(language.run(["logits"], feed | past)[0][0][:, encoder.digits])
        found[f"digits {number}"] = float(np.abs(functional.softmax(logits, -1).numpy() - np.array(case["digits"])).max())
    return found


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["record", "check"])
    parser.add_argument("--base", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--models", type=Path, default=Path("models"))
    options = parser.parse_args()
    if options.verb == "record":
        from training.models.language.checkpoints import trained

        recorded = outputs_of(
            trained(options.base, options.work, "instruct", False), TextEncoder(options.base / "tokenizer.json")
        )
        FIXTURE.write_text(json.dumps(recorded) + "\n")
        return
    found = gaps(options.models, json.loads(FIXTURE.read_text()))
    print(json.dumps(found))
    if found["prefix"] > PREFIX_TOLERANCE or max(found[f"digits {k}"] for k in range(len(CASES))) > SHARE_TOLERANCE:
        sys.exit("the difference is larger than int8 quantisation explains: the exported files do not match the trained model")


if __name__ == "__main__":
    main()
