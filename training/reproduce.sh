#!/bin/sh
# Makes objects.onnx, clip.onnx, forecaster.onnx and causes.onnx in models/ from nothing: scenes, features, stages, export, checks.
# Hours on one core; each part resumes where it was stopped. PYTHON, CACHE, TOKENS and WORK may be set.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python} CACHE=${CACHE:-out/cache} TOKENS=${TOKENS:-out/tokens} WORK=${WORK:-out/work}
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

$PYTHON -m training.data tokens --out "$TOKENS/train" --scenes 204800 --seed 10000000 --runs 6 --long-runs 2
$PYTHON -m training.data tokens --out "$TOKENS/val"   --scenes 8000   --seed 1000000  --runs 6 --long-runs 2
$PYTHON -m training.data tokens --out "$TOKENS/test"  --scenes 8000   --seed 2000000  --runs 6 --long-runs 2
for stage in forecast causes; do
  $PYTHON -m training.train --stage $stage --train "$TOKENS/train" --held "$TOKENS/val" --test "$TOKENS/test" --work "$WORK"
done
$PYTHON -m training.export forecaster --work "$WORK"
$PYTHON -m training.export causes --work "$WORK"
$PYTHON -m training.check_parity
