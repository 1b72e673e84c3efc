"""Exports a SAM-architecture model as the two ONNX files that Presage takes: the image encoder and the mask decoder.

    python -m training.export.sam --out DIR [--size tiny|mobile] [--weights mobile_sam.pt] [--seed 0] [--fixture PICTURE.json]

The interface is that of the published exports of SAM and MobileSAM. The encoder takes `input_image` [height, width, 3] (RGB,
0-255, longer side 1024) and normalises and pads inside the graph; the decoder takes `image_embeddings`, `point_coords`,
`point_labels`, `mask_input`, `has_mask_input`, `orig_im_size` and returns `masks`, `iou_predictions`, `low_res_masks`.

Without --weights the weights are random, which suffices to test the interface and to measure the cost of such a model.
`--size tiny` keeps the architecture and shrinks it (64 px, a few channels), for tests. `--fixture` also writes the results of
the Python
reference (predictor and automatic mask generator) on a drawn picture, to compare with by value.

Needs: pip install torch torchvision numpy onnx onnxscript mobilesam-lite
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

# Input side in px, width of the prompt embedding, width of the decoder's MLP, its heads.
SIZES = {"mobile": (1024, 256, 2048, 8), "tiny": (128, 16, 16, 2)}


def image_encoder(size: str, px: int, width: int) -> nn.Module:
    """TinyViT as in MobileSAM; for `tiny` the plain ViT of SAM, whose sizes are free."""
    from mobilesam_lite.mobile_sam.modeling import ImageEncoderViT, TinyViT

    if size == "mobile":
        return TinyViT(
            img_size=px,
            in_chans=3,
            num_classes=2,
            embed_dims=[64, 128, 160, 320],
            depths=[2, 2, 6, 2],
            num_heads=[2, 4, 5, 10],
            window_sizes=[7, 7, 14, 7],
            mlp_ratio=4.0,
            drop_rate=0.0,
            drop_path_rate=0.0,
            use_checkpoint=False,
            mbconv_expand_ratio=4.0,
            local_conv_size=3,
            layer_lr_decay=0.8,
        )
    return ImageEncoderViT(
        img_size=px,
        patch_size=16,
        embed_dim=16,
        depth=2,
        num_heads=2,
        mlp_ratio=2,
        out_chans=width,
        qkv_bias=True,
        use_rel_pos=True,
        window_size=4,
        global_attn_indexes=[1],
    )


def build(size: str, weights: str | None) -> tuple[Any, int]:
    """Model and its input side in px; random weights without `weights`."""
    from mobilesam_lite.mobile_sam.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    px, width, mlp, heads = SIZES[size]
    sam = Sam(
        image_encoder=image_encoder(size, px, width),
        prompt_encoder=PromptEncoder(
            embed_dim=width, image_embedding_size=(px // 16, px // 16), input_image_size=(px, px), mask_in_chans=16
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer_dim=width,
            iou_head_depth=3,
            iou_head_hidden_dim=width,
            transformer=TwoWayTransformer(depth=2, embedding_dim=width, mlp_dim=mlp, num_heads=heads),
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )
    if weights:
        # The published checkpoint has a classification head of 1000 classes that segmentation does not use.
        state = torch.load(weights, map_location="cpu", weights_only=True)
        state = {key: value for key, value in state.items() if not key.startswith("image_encoder.head")}
        missing, unexpected = sam.load_state_dict(state, strict=False)
        assert not unexpected and all(key.startswith("image_encoder.head") for key in missing), (missing, unexpected)
    sam.eval()
    return sam, px


class Encoder(nn.Module):
    """Normalises, pads and encodes a picture."""

    def __init__(self, sam: Any, px: int):
        super().__init__()
        self.sam, self.px = sam, px

    def forward(self, input_image: Tensor) -> Tensor:
        """Map [height, width, 3], RGB 0-255, longer side `px`, to image embeddings."""
        picture = input_image.permute(2, 0, 1).unsqueeze(0)
        picture = (picture - self.sam.pixel_mean) / self.sam.pixel_std
        picture = functional.pad(picture, (0, self.px - picture.shape[-1], 0, self.px - picture.shape[-2]))
        return self.sam.image_encoder(picture)


def export(sam: Any, px: int, out: str) -> None:
    """Write encoder.onnx and decoder.onnx."""
    from mobilesam_lite.mobile_sam.utils.onnx import SamOnnxModel

    os.makedirs(out, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            Encoder(sam, px),
            (torch.rand(px * 3 // 4, px, 3) * 255,),
            os.path.join(out, "encoder.onnx"),
            input_names=["input_image"],
            output_names=["image_embeddings"],
            opset_version=17,
            dynamo=False,
            dynamic_axes={"input_image": {0: "image_height", 1: "image_width"}},
        )
        side = px // 16
        width = sam.prompt_encoder.embed_dim
        torch.onnx.export(
            SamOnnxModel(sam, return_single_mask=False),
            (
                torch.randn(1, width, side, side),
                torch.rand(1, 5, 2) * px,
                torch.randint(0, 4, (1, 5)).float(),
                torch.randn(1, 1, 4 * side, 4 * side),
                torch.tensor([1.0]),
                torch.tensor([300.0, 400.0]),
            ),
            os.path.join(out, "decoder.onnx"),
            input_names=["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"],
            output_names=["masks", "iou_predictions", "low_res_masks"],
            opset_version=17,
            dynamo=False,
            dynamic_axes={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}},
        )


def drawn(height: int, width: int) -> np.ndarray:
    """RGB picture of a disc and a bar on a ramp."""
    y, x = np.mgrid[:height, :width]
    picture = np.stack([x * 200 // width + 20, y * 200 // height + 20, np.full_like(x, 90)], -1)
    picture[(x - width * 0.3) ** 2 + (y - height * 0.5) ** 2 < (height * 0.22) ** 2] = [230, 40, 30]
    picture[int(height * 0.2) : int(height * 0.8), int(width * 0.6) : int(width * 0.75)] = [20, 60, 220]
    return picture.astype(np.uint8)


def reference(sam: Any, px: int, path: str) -> None:
    """Write the results of the Python predictor and mask generator on a drawn picture."""
    from mobilesam_lite.mobile_sam.automatic_mask_generator import SamAutomaticMaskGenerator
    from mobilesam_lite.mobile_sam.predictor import SamPredictor
    from pycocotools import mask as coco

    def rle(mask: np.ndarray) -> str:
        return coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()

    height, width = 60, 90
    picture = drawn(height, width)
    predictor = SamPredictor(sam)
    predictor.transform.target_length = px
    predictor.set_image(picture)
    resized = predictor.transform.apply_image(picture)
    cases = []
    for box, points in [
        ([13.5, 15.0, 40.5, 45.0], None),
        ([54.0, 12.0, 67.5, 48.0], None),
        (None, [[27.0, 30.0, 1]]),
        (None, [[60.0, 20.0, 1], [10.0, 10.0, 0]]),
        ([54.0, 12.0, 67.5, 48.0], [[60.0, 30.0, 1]]),
    ]:
        single = box is not None or len(points or []) > 1
        masks, quality, _ = predictor.predict(
            point_coords=None if points is None else np.array(points)[:, :2],
            point_labels=None if points is None else np.array(points)[:, 2],
            box=None if box is None else np.array(box),
            multimask_output=not single,
        )
        best = int(np.argmax(quality))
        cases.append({"box": box, "points": points, "quality": float(quality[best]), "counts": rle(masks[best])})
    settings = {"pointsPerSide": 6, "minQuality": 0.05, "minStability": 0.8, "stabilityOffset": 0.001, "nmsIou": 0.9999}
    generator = SamAutomaticMaskGenerator(
        sam,
        points_per_side=settings["pointsPerSide"],
        pred_iou_thresh=settings["minQuality"],
        stability_score_thresh=settings["minStability"],
        stability_score_offset=settings["stabilityOffset"],
        box_nms_thresh=settings["nmsIou"],
    )
    generator.predictor.transform.target_length = px
    everything = [
        {"quality": float(found["predicted_iou"]), "counts": rle(found["segmentation"])} for found in generator.generate(picture)
    ]
    with open(path, "w") as file:
        json.dump(
            {
                "width": width,
                "height": height,
                "rgb": picture.tobytes().hex(),
                "resized": {"width": resized.shape[1], "height": resized.shape[0], "rgb": resized.tobytes().hex()},
                "cases": cases,
                "grid": {"settings": settings, "masks": everything},
            },
            file,
        )
        file.write("\n")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--size", choices=SIZES, default="mobile")
    parser.add_argument("--weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fixture")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    sam, px = build(args.size, args.weights)
    export(sam, px, args.out)
    if args.fixture:
        reference(sam, px, args.fixture)
    for name in ("encoder.onnx", "decoder.onnx"):
        print(name, os.path.getsize(os.path.join(args.out, name)), "bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
