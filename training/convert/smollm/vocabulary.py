"""Tokenizer file with the kept tokens and merges of SmolLM2's byte-level BPE."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

from training.convert.smollm.gguf import Source

FREQUENT_MERGES = 4600
"""Number of merges kept from the start of the file (common English), in addition to those of TEXTS."""

TEXTS = [
    "objects events next why needs chain tell path same ask still slow fast left right up down yes no none unknown zone line",
    "person vehicle animal body moving standing slow gone persons cars trucks balls cubes boxes objects things people dogs",
    "enter appear exit disappear start_moving stop turn meet separate approach collide zone_enter zone_leave line_cross loiter",
    "follow pick_up put_down fall enables triggers pushes blocks precedes outcome",
    "did hit touch push who what which when where why how many first last before after moved stopped entered left met turned",
    "collided followed fell came went is are was were the of to a an and or not in view out seconds ago now because there here",
    "car truck bicycle dog ball cube cylinder box bottle cup object cars disc prism pyramid cone sphere toy block animal robot",
    "motorcycle airplane bus train boat traffic light fire hydrant stop sign parking meter bench bird cat horse sheep cow",
    "elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis snowboard sports ball kite baseball bat",
    "baseball glove skateboard surfboard tennis racket wine glass fork knife spoon bowl banana apple sandwich orange broccoli",
    "carrot hot dog pizza donut cake chair couch potted plant bed dining table toilet tv laptop mouse remote keyboard cell phone",
    "microwave oven toaster sink refrigerator book clock vase scissors teddy bear hair drier toothbrush",
]
"""Words whose tokens are kept, with and without a leading space."""


def tokenizer_json(tokens: dict[str, int], merges: list[str], special: list[str]) -> str:
    """Hugging Face tokenizer file. Digits are single tokens; every byte has a token, so no text is unknown."""
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": tokens[text], "content": text, "single_word": False, "lstrip": False, "rstrip": False}
                | {"normalized": False, "special": True}
                for text in special
            ],
            "normalizer": None,
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Digits", "individual_digits": True},
                    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
                ],
            },
            "post_processor": None,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None}
            | {"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
            | {"vocab": tokens, "merges": [merge.split(" ") for merge in merges]},
        },
        ensure_ascii=False,
    )


def byte_letters() -> set[str]:
    """The 256 characters that represent bytes in byte-level BPE."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return {chr(byte) for byte in printed} | {chr(256 + k) for k in range(256 - len(printed))}


def kept_tokens(source: Source) -> list[int]:
    """Old ids of the kept tokens, ascending: specials, bytes, frequent merges, and all merges that lead to TEXTS."""
    full = Tokenizer.from_str(tokenizer_json({t: i for i, t in enumerate(source.tokens)}, source.merges, []))
    ids = {text: i for i, text in enumerate(source.tokens)}
    made_by = {"".join(merge.split(" ")): merge.split(" ") for merge in reversed(source.merges)}
    wanted = [text for text, special in zip(source.tokens, source.special, strict=True) if special]
    wanted += [text for text in byte_letters() if text in ids]
    wanted += ["".join(merge.split(" ")) for merge in source.merges[:FREQUENT_MERGES]]
    for line in TEXTS:
        for word in line.split():
            wanted += full.encode(word).tokens + full.encode(" " + word).tokens
    kept: set[str] = set()
    while wanted:
        text = wanted.pop()
        if text not in kept:
            kept.add(text)
            wanted += made_by.get(text, [])
    return sorted(ids[text] for text in kept)


def restrict(source: Source, kept: list[int]) -> str:
    """Tokenizer file of the kept tokens, renumbered in order."""
    tokens = {source.tokens[old]: new for new, old in enumerate(kept)}
    merges = [m for m in source.merges if "".join(m.split(" ")) in tokens and all(p in tokens for p in m.split(" "))]
    return tokenizer_json(tokens, merges, [source.tokens[old] for old in kept if source.special[old]])


def load_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer file."""
    return Tokenizer.from_file(str(path))
