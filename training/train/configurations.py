"""Default configurations of the stages."""

from __future__ import annotations

from training.train.run import Config

CONFIGS = {
    "masks": Config("masks", steps=1000, batch=6, rate=2e-3),
    "embeddings": Config("embeddings", steps=700, batch=8, rate=1e-3, weight_decay=0.05),
    "clip": Config("clip", steps=450, batch=12, rate=8e-4, weight_decay=0.05),
    "forecast": Config("forecast", steps=12000, batch=64, rate=1.5e-3, weight_decay=0.03, warm_up=50, held_every=400),
    "causes": Config("causes", steps=6000, batch=64, rate=1.5e-3, weight_decay=0.03, warm_up=50, held_every=300),
    "heal": Config("heal", steps=20000, batch=8, rate=4e-4, warm_up=40, held_every=300, seconds=1100),
    "align": Config("align", steps=20000, batch=8, rate=1.5e-3, warm_up=50, seconds=540),
    "instruct": Config("instruct", steps=20000, batch=8, rate=8e-4, warm_up=40, held_every=300, seconds=2700),
}
