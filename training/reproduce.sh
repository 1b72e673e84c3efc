#!/bin/sh
# Makes models/objects.onnx and models/clip.onnx from nothing: scenes, features, three stages, export, checks.
# Some hours on one core; each part resumes where it was stopped. CACHE and WORK may be set.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python} CACHE=${CACHE:-out/cache} WORK=${WORK:-out/work}
export OMP_NUM_THREADS=1

$PYTHON -m training.dataset street   --first 0      --count 120 --out "$CACHE/train"
$PYTHON -m training.dataset tabletop --first 500000 --count 60  --out "$CACHE/train"
$PYTHON -m training.dataset street   --first 100000 --count 14  --out "$CACHE/held"
$PYTHON -m training.dataset tabletop --first 600000 --count 8   --out "$CACHE/held"
for stage in masks tokens clip; do
  $PYTHON -m training.train --stage $stage --train "$CACHE/train" --held "$CACHE/held" --work "$WORK"
done
$PYTHON -m training.export objects --work "$WORK"
$PYTHON -m training.export clip --work "$WORK"
$PYTHON -m training.check_parity
