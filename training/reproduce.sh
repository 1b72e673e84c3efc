#!/bin/sh
# Makes models/objects.onnx and models/clip.onnx from nothing: scenes, features, stages, export, checks.
# About two hours on one core; each part resumes where it was stopped. PYTHON, CACHE and WORK may be set.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python} CACHE=${CACHE:-out/cache} WORK=${WORK:-out/work}
export OMP_NUM_THREADS=1

$PYTHON -m training.dataset street   --first 0      --count 83 --out "$CACHE/train"
$PYTHON -m training.dataset tabletop --first 500000 --count 44 --out "$CACHE/train"
$PYTHON -m training.dataset street   --first 100000 --count 14 --out "$CACHE/held"
$PYTHON -m training.dataset tabletop --first 600000 --count 8  --out "$CACHE/held"

train() { $PYTHON -m training.train --train "$CACHE/train" --held "$CACHE/held" "$@"; }
train --stage masks --work "$WORK/first" --limit 41 --steps 1000
mv training/runs/masks.json training/runs/masks-first.json
train --stage masks --work "$WORK" --start "$WORK/first/masks.pt" --steps 700 --rate 0.001
train --stage tokens --work "$WORK"
train --stage clip --work "$WORK"

$PYTHON -m training.export objects --work "$WORK"
$PYTHON -m training.export clip --work "$WORK"
$PYTHON -m training.check_parity
