"""Names of the numbers in the scene shards."""

from __future__ import annotations

LABELS = ("person", "car", "truck", "bicycle", "dog", "ball", "cube", "cylinder", "box", "bottle", "cup", "object")
KINDS = ("person", "vehicle", "animal", "body")
WORLDS = ("tabletop", "street")
SINGLE = ("exit", "stop", "start_moving", "turn", "loiter")
PAIR = ("meet", "collide")
