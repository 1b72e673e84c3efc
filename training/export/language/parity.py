"""Does ONNX Runtime say of the exported files what PyTorch said? `record` keeps PyTorch's answers in
test/fixtures/fused/parity.json, where a test of the TypeScript runtime compares them too; without it they are compared here.

    python -m training.export.language.parity record --base BASE --work WORK
    python -m training.export.language.parity check --models models
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch.nn import functional

from training.data.text.tree import Speech, Tree, pack
from training.export.language.graph import read_embeddings
from training.models.language.fused import Fused
from training.models.language.fusion import LiveCore
from training.paths import ROOT

FIXTURE = ROOT / "test" / "fixtures" / "fused" / "parity.json"
PREFIX_TOLERANCE, CHANCE_TOLERANCE = 0.08, 0.05
"""Largest difference of a value of the prefix (which has a spread of about 0.2) and of a share of a digit: the weights are int8."""
PROMPT = "objects\n#1 person moving\n#2 ball standing\n#3 car gone\nevents\ne1 enter #1 4.0\ne2 start_moving #1 2.1\ne3 collide #1 #2 0.6\n"
CASES = [
    {"prompt": PROMPT + "next\n", "continuations": ["exit #1 ", "start_moving #2 ", "collide #1 #2 ", "turn #1 "]},
    {"prompt": PROMPT + "why e3\n", "continuations": ["needs #3 "]},
]


def visual() -> dict:
    """Three objects, the last not in view; lengths in frame heights."""
    steps, count = 30, 3
    boxes, seen = np.zeros((count, steps, 4)), np.ones((count, steps))
    time = np.arange(steps) / 10
    boxes[0] = np.stack([0.2 + 0.12 * time, 0.4 + 0.02 * time, np.full(steps, 0.1), np.full(steps, 0.3)], 1)
    boxes[1] = [0.75, 0.62, 0.08, 0.08]
    seen[2] = 0
    looks = np.zeros((count, 256))
    looks[0, 3] = looks[1, 40] = 1
    clips = np.zeros((1, 256))
    clips[0, 100] = 1
    return {
        "count": count, "steps": steps, "boxes": boxes.round(4).reshape(-1).tolist(), "seen": seen.reshape(-1).tolist(),
        "kinds": [0, 3, 1], "ages": [4.0, 20.0, 3.0], "aspect": 1.5, "slots": [0, 1, 2],
        "looks": [{"object": 0, "axis": 3}, {"object": 1, "axis": 40}], "clips": [{"ageS": 0.4, "axis": 100}],
    }  # fmt: skip


def feed_of(told: dict) -> dict[str, np.ndarray]:
    count, steps = told["count"], told["steps"]
    looks, clips = np.zeros((count, 256), np.float32), np.zeros((len(told["clips"]), 256), np.float32)
    for look in told["looks"]:
        looks[look["object"], look["axis"]] = 1
    for row, clip in enumerate(told["clips"]):
        clips[row, clip["axis"]] = 1
    return {
        "boxes": np.array(told["boxes"], np.float32).reshape(count, steps, 4),
        "seen": np.array(told["seen"], np.float32).reshape(count, steps),
        "kind": np.array(told["kinds"]), "age": np.array(told["ages"], np.float32), "aspect": np.array([told["aspect"]], np.float32),
        "slot": np.array(told["slots"]), "looks": looks, "clips": clips,
        "clip_age": np.array([clip["ageS"] for clip in told["clips"]], np.float32),
    }  # fmt: skip


def tree_of(case: dict, speech: Speech) -> Tree:
    tree = Tree()
    root = tree.add(speech.lines(case["prompt"]))
    for text in case["continuations"]:
        tree.candidate(speech.encode(text), root, 0.0, "")
    return tree


@torch.no_grad()
def said_by(fused: Fused, speech: Speech) -> dict:
    told = visual()
    feed = [torch.from_numpy(value) for value in feed_of(told).values()]
    prefix, cases = LiveCore(fused.core)(*feed), []
    for case in CASES:
        batch = pack([tree_of(case, speech)], prefix.shape[1])
        embedded = torch.cat([prefix, fused.language.embeddings(batch.tokens)], 1)
        hidden = fused.language(embedded, batch.positions, batch.bias)[0, prefix.shape[1] :]
        shares = functional.softmax(fused.language.logits(hidden[batch.digits[:, 1]])[:, speech.digits], -1)
        cases.append(case | {"digits": shares.numpy().round(5).tolist()})
    return {"visual": told, "prefix": prefix[0, :, :8].numpy().round(5).tolist(), "cases": cases}


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def gaps(models: Path, expected: dict) -> dict[str, float]:
    """Largest differences from what PyTorch said."""
    prefix = session(models / "fusion.onnx").run(None, feed_of(expected["visual"]))[0]
    language, speech = session(models / "language.onnx"), Speech(models / "tokenizer.json")
    table = read_embeddings(models / "embeddings.bin", prefix.shape[-1])
    past = {
        i.name: np.zeros((1, i.shape[1], 0, i.shape[3]), np.float32) for i in language.get_inputs() if i.name.startswith("past")
    }
    found = {"prefix": float(np.abs(prefix[0, :, :8] - np.array(expected["prefix"])).max())}
    for number, case in enumerate(expected["cases"]):
        batch = pack([tree_of(case, speech)], prefix.shape[1])
        feed = {
            "inputs_embeds": np.concatenate([prefix, table[batch.tokens.numpy()]], 1).astype(np.float32),
            "position_ids": batch.positions.numpy(), "attention_bias": batch.bias.numpy(),
            "logit_positions": batch.digits[:, 1].numpy() + prefix.shape[1],
        }  # fmt: skip
        logits = torch.from_numpy(language.run(["logits"], feed | past)[0][0][:, speech.digits])
        found[f"digits {number}"] = float(np.abs(functional.softmax(logits, -1).numpy() - np.array(case["digits"])).max())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["record", "check"])
    parser.add_argument("--base", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--models", type=Path, default=Path("models"))
    options = parser.parse_args()
    if options.verb == "record":
        from training.export.language.cli import trained

        told = said_by(trained(options.base, options.work, "instruct", False), Speech(options.base / "tokenizer.json"))
        FIXTURE.write_text(json.dumps(told) + "\n")
        return
    found = gaps(options.models, json.loads(FIXTURE.read_text()))
    print(json.dumps(found))
    if found["prefix"] > PREFIX_TOLERANCE or max(found[f"digits {k}"] for k in range(len(CASES))) > CHANCE_TOLERANCE:
        sys.exit("a difference is above what int8 explains: the exported files are not the model that was trained")


if __name__ == "__main__":
    main()
